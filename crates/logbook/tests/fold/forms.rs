//! Entries that are not what they say.

use logbook::action::RecordKind;
use logbook::entry::EntryError;
use logbook::{Entry, Status};

use crate::world::*;

#[test]
fn a_version_before_the_first_is_malformed() {
    let entry = |v: u64, action: &str| format!(r#"{{"v":{v},"salt":"AAAAAAAAAAAAAAAAAAAAAA","action":{action}}}"#);
    let error = |text: String| Entry::decode(text.as_bytes()).unwrap_err();
    let note = r#"{"note":{"text":"x"}}"#;
    assert!(Entry::decode(entry(1, note).as_bytes()).is_ok());
    assert!(matches!(error(entry(0, note)), EntryError::Malformed(_)));
    assert!(matches!(error(entry(0, r#"{"unheard-of":{}}"#)), EntryError::Malformed(_)));
    assert_eq!(error(entry(2, note)), EntryError::NewerSoftware);
    assert_eq!(error(entry(1, r#"{"unheard-of":{}}"#)), EntryError::NewerSoftware);
    // A later version may have no action at all; what it is not is malformed.
    assert_eq!(error(r#"{"v":300,"said":[]}"#.to_owned()), EntryError::NewerSoftware);
    assert!(matches!(error(r#"{"v":2,"v":2}"#.to_owned()), EntryError::Malformed(_)));
    assert!(matches!(error(r#"{"v":-1,"action":{}}"#.to_owned()), EntryError::Malformed(_)));
}

#[test]
fn an_entry_of_version_zero_is_rejected_by_the_fold() {
    let mut play = Play::new();
    let seen = play.fold();
    let bytes = br#"{"v":0,"salt":"AAAAAAAAAAAAAAAAAAAAAA","action":{"note":{"text":"x"}}}"#.to_vec();
    let made = play.world.make_raw(DESK, &seen, bytes, None);
    let opened = play.world.seal(DESK, &made);
    play.all.push(opened.clone());
    assert_eq!(play.status(&opened).0, Status::Rejected);
    let record = play.fold();
    assert_eq!(record.state().kind, Some(RecordKind::Incident));
    assert_eq!(record.waiting(), 0);
}
