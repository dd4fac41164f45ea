use seal::{KdfCost, Passphrase};
use serde_json::{Value, json};

use super::*;
use crate::practice::Practice;

async fn practice(root: &tempfile::TempDir) -> Practice {
    let pass = Passphrase::new("practice makes the night shorter".into());
    Practice::found(root.path(), &pass, KdfCost::DRILL).await.unwrap()
}

fn input(more: Value) -> LogIncident {
    let mut input = json!({ "category": "ops:observer-denied", "summary": "Observer refused entry" });
    if let (Some(input), Some(more)) = (input.as_object_mut(), more.as_object()) {
        input.extend(more.clone());
    }
    serde_json::from_value(input).unwrap()
}

const KELLER: &str = "M. Keller, observer, call sign OBS 4";

#[tokio::test]
async fn who_reported_it_is_sealed_apart_and_stays_when_the_incident_is_shared() {
    let root = tempfile::tempdir().unwrap();
    let practice = practice(&root).await;
    let told = json!({ "reporter": KELLER, "channel": "radio", "source": "an observer", "source_reliability": "B" });
    let logged = practice.emb.log(input(told)).await.unwrap();
    let here = practice.emb.show(&logged.reference, None).await.unwrap();
    assert_eq!(here.reporter.as_deref(), Some(KELLER));
    let text = |name: &str| here.fields.get(name).map(ToString::to_string);
    assert_eq!((text("channel").as_deref(), text("source_reliability").as_deref()), (Some("radio"), Some("b")));
    assert_eq!(text("source").as_deref(), Some("an observer"));
    assert!(here.fields.values().all(|value| !value.to_string().contains("Keller")), "not in the incident itself");
    assert_eq!(here.links.iter().map(|link| link.relation.as_str()).collect::<Vec<_>>(), ["sealed-part"]);
    practice.emb.share(&logged.reference, &["police".to_owned()]).await.unwrap();
    practice.carry(&practice.emb, "police", &practice.police, root.path()).await.unwrap();
    let there = practice.police.show(&logged.reference, None).await.unwrap();
    assert_eq!(there.reporter, None);
    assert_eq!(there.links.len(), 1, "that there is such a part is known");
    assert!(practice.police.show(&there.links[0].id, None).await.is_err(), "what it says is not");
    // A search over incidents does not find a person.
    let query = json!({ "view": "all", "search": "Keller", "limit": 10, "offset": 0 });
    assert_eq!(practice.emb.board(serde_json::from_value(query).unwrap()).await.unwrap().total, 0);
}

#[tokio::test]
async fn what_is_wrong_about_the_source_is_refused_whole() {
    let root = tempfile::tempdir().unwrap();
    let practice = practice(&root).await;
    for wrong in [
        json!({ "source_reliability": "g" }),
        json!({ "source_reliability": "reliable" }),
        json!({ "channel": "by radio" }),
        json!({ "reporter": "x".repeat(301) }),
        json!({ "source": "x".repeat(2001) }),
    ] {
        assert!(practice.emb.log(input(wrong.clone())).await.is_err(), "{wrong}");
    }
    assert!(practice.field.log(input(json!({ "reporter": KELLER }))).await.is_err(), "a field device tells of itself");
    practice.field.log(input(json!({ "reporter": " ", "channel": "in-person" }))).await.unwrap();
    assert_eq!(
        practice.emb.board(serde_json::from_value(json!({ "limit": 10, "offset": 0 })).unwrap()).await.unwrap().total,
        0
    );
}

#[tokio::test]
async fn a_draft_from_the_command_line_keeps_all_that_was_given() {
    let root = tempfile::tempdir().unwrap();
    let practice = practice(&root).await;
    let given = json!({
        "domains": ["physical", "operational"], "station": "0421", "place": "Lyon", "lat": 45.7496, "lon": -4.5, "tlp": "GREEN",
        "severity": 3, "people": "none", "hazards": "acid", "services": "fire brigade", "occurred": "2026-11-24T20:41:00+01:00",
        "description": "Told by radio.", "reporter": KELLER, "channel": "radio", "source": "observer", "source_reliability": "b",
    });
    practice.emb.keep_draft_of(&input(given.clone())).await.unwrap();
    let form = practice.emb.draft_kept().await.unwrap().unwrap().form;
    for (name, value) in given.as_object().unwrap() {
        let wanted = match value {
            Value::Array(list) => list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        assert_eq!(form.get(name), Some(&wanted), "{name}");
    }
    assert_eq!(form.len(), given.as_object().unwrap().len() + 2, "and category and summary, nothing empty");
}
