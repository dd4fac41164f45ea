//! The code lists as they are compiled in. A test walks the folder: a file that is not here fails it.

macro_rules! list {
    ($name:literal) => {
        ($name, include_str!(concat!("../../../../schemas/vocab/", $name, ".json")))
    };
}

/// Name and JSON of each list.
pub(super) const LISTS: &[(&str, &str)] = &[
    list!("acled_events"),
    list!("admissibility_grounds"),
    list!("budapest_articles"),
    list!("clock_confidence"),
    list!("complaint_standing"),
    list!("complaint_states"),
    list!("complaint_subjects"),
    list!("custody_events"),
    list!("cyber_incident_rsit"),
    list!("decision_types"),
    list!("edr_deadlines"),
    list!("edr_principles"),
    list!("election_interference_budapest_map"),
    list!("election_violence"),
    list!("electoral_phases"),
    list!("emb_operational_incidents"),
    list!("evidence_minimum_metadata"),
    list!("evidence_principles"),
    list!("evidence_types"),
    list!("information_incidents"),
    list!("information_manipulation"),
    list!("notification_deadlines"),
    list!("person_roles_and_protection"),
    list!("remedies"),
    list!("restriction_safeguards"),
    list!("severity_and_sharing"),
    list!("stix_incident_enums"),
];

/// Further words for type-ahead, by code and language: the project's own.
pub(super) const SYNONYMS: &str = include_str!("../../../../schemas/vocab/synonyms.json");
