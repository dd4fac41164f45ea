use seal::KdfCost;

use super::*;
use crate::found::AgencyInput;
use crate::practice::Practice;
use crate::wire::BoardQuery;
use crate::{Code, Passphrase};

fn pass() -> Passphrase {
    Passphrase::new("practice makes the night shorter".into())
}

fn everything() -> BoardQuery {
    serde_json::from_value(serde_json::json!({ "limit": 1000, "offset": 0 })).unwrap()
}

#[test]
fn the_night_is_300_reports_of_four_institutions() {
    let night = Script::parse(NIGHT).unwrap();
    let logs: Vec<&Inject> = night.injects.iter().filter(|inject| inject.log.is_some()).collect();
    assert_eq!(logs.len(), 300);
    for agency in ["emb", "police", "cert", "court"] {
        assert!(logs.iter().filter(|inject| inject.by == agency).count() >= 14, "{agency}");
    }
    let spread = night.injects.last().unwrap().at - night.injects[0].at;
    assert!((80 * 60..=90 * 60).contains(&spread), "{spread}");
    for inject in &night.injects {
        if let Some(log) = &inject.log {
            crate::incident::incident_fields(incident(log)).unwrap();
        }
        // A note follows what it is about, of its own institution.
        if let Some(note) = &inject.note {
            let about = logs.iter().find(|log| log.key.as_deref() == Some(&note.to)).unwrap();
            assert!(about.at <= inject.at && about.by == inject.by, "{}", note.to);
        }
    }
}

#[test]
fn a_script_that_does_not_hold_is_refused_with_its_reason() {
    let note = r#"{"at":5,"by":"emb","note":{"to":"a","text":"x"}}"#;
    let log = r#"{"at":3,"by":"emb","log":{"category":"ops:queue","summary":"x"}}"#;
    for injects in [
        format!("{note},{log}"),
        r#"{"at":5,"by":"emb"}"#.to_owned(),
        r#"{"at":99999999,"by":"emb","note":{"to":"a","text":"x"}}"#.to_owned(),
        r#"{"at":-1,"by":"emb","note":{"to":"a","text":"x"}}"#.to_owned(),
        r#"{"at":1,"by":"emb","vote":1,"note":{"to":"a","text":"x"}}"#.to_owned(),
        "null".to_owned(),
    ] {
        let text = format!(r#"{{"name":"n","injects":[{injects}]}}"#);
        assert_eq!(Script::parse(&text).unwrap_err().code, Code::Usage, "{text}");
    }
    assert_eq!(Script::parse("").unwrap_err().code, Code::Usage);
}

#[tokio::test]
async fn each_institution_plays_its_own_part_once_and_goes_on_where_it_was_stopped() {
    let root = tempfile::tempdir().unwrap();
    let practice = Practice::found(root.path(), &pass(), KdfCost::DRILL).await.unwrap();
    let night = Script::parse(NIGHT).unwrap();
    let never = std::future::pending::<()>;
    // Stopped in the middle: what was played is kept.
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let stop = std::cell::Cell::new(Some(stop));
    let halt = |count, _| {
        if count == 10 {
            drop(stop.take());
        }
    };
    let first = practice.emb.play(&night, 10_000.0, false, async { drop(stopped.await) }, halt).await.unwrap();
    assert!(first.stopped && first.logged + first.noted == 10, "{first:?}");
    let rest = practice.emb.play(&night, 10_000.0, false, never(), |_, _| ()).await.unwrap();
    assert!(!rest.stopped);
    let emb = night.injects.iter().filter(|inject| inject.by == "emb" && inject.log.is_some()).count() as u64;
    assert_eq!(first.logged + rest.logged, emb);
    assert_eq!(practice.emb.board(everything()).await.unwrap().total, emb);
    let again = practice.emb.play(&night, 10_000.0, false, never(), |_, _| ()).await.unwrap();
    assert_eq!((again.logged, again.noted), (0, 0));
    let court = practice.court.play(&night, 10_000.0, false, never(), |_, _| ()).await.unwrap();
    assert_eq!(court.logged, 14);
}

#[tokio::test]
async fn no_inject_enters_a_live_operation_neither_played_nor_carried() {
    let root = tempfile::tempdir().unwrap();
    let live = AgencyInput {
        id: "emb".into(),
        kind: "emb".into(),
        name: "Central Election Commission".into(),
        operator: "Duty Officer".into(),
        device: "JOC 1".into(),
        root_out: root.path().join("live.root"),
    };
    let dir = root.path().join("live");
    let (live, _) = Desk::init_at_cost(&dir, &pass(), "Election", live, None, false, KdfCost::DRILL).await.unwrap();
    let night = Script::parse(NIGHT).unwrap();
    let refused = live.play(&night, 10_000.0, false, std::future::pending(), |_, _| ()).await.unwrap_err();
    assert_eq!(refused.code, Code::NotAllowed);
    // Nor does an envelope of an exercise: its link names another operation.
    let drill = Practice::found(&root.path().join("drill"), &pass(), KdfCost::DRILL).await.unwrap();
    drill.emb.play(&night, 10_000.0, false, std::future::pending(), |_, _| ()).await.unwrap();
    let parcel = root.path().join("drill.parcel");
    drill.emb.write_parcel("police", &parcel).await.unwrap();
    assert!(live.read_parcel(&parcel).await.is_err());
    assert_eq!(live.board(everything()).await.unwrap().total, 0);
}
