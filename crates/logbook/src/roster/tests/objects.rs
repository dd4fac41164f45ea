use super::*;

fn add(roster: &mut Roster, objects: impl IntoIterator<Item = RosterObject>) {
    for object in objects {
        roster.add(object).expect("a good object");
    }
}

fn emb_roster() -> (Roster, SignedChainEntry) {
    let (epoch, first) = one();
    (roster([RosterObject::Epoch(epoch), RosterObject::Chain(first.clone())]), first)
}

#[test]
fn a_name_opens_only_its_commitment() {
    let (mut roster, _) = emb_roster();
    let operator = OperatorId([101; 16]);
    let false_name = NameOpening { name: "Mallory".into(), ..name(101) };
    add(&mut roster, [RosterObject::Name(false_name.clone())]);
    assert_eq!(roster.name_of(&operator), None);
    assert_eq!(roster.waits(&RosterObject::Name(false_name)), Some(Waits::Enrolment));
    add(&mut roster, [RosterObject::Name(name(101))]);
    assert_eq!(roster.name_of(&operator), Some("Person 101"));
    for bad in [NameOpening { name: String::new(), ..name(101) }, NameOpening { salt: "F".repeat(32), ..name(101) }] {
        assert!(roster.add(RosterObject::Name(bad)).is_err());
    }
}

#[test]
fn a_name_is_not_taken_from_an_enrolment_without_effect() {
    let (mut roster, first) = emb_roster();
    let opening = NameOpening { operator: OperatorId([101; 16]), name: "Mallory".into(), salt: "f".repeat(32) };
    let fake = Enrol {
        operator: opening.operator,
        operator_commitment: name_commitment(&opening),
        ..enrol(77, &[Role::Desk])
    };
    let forged = entry("emb", Some(&first), ChainAction::Enrol(fake), &key(77));
    add(&mut roster, [RosterObject::Name(name(101)), RosterObject::Chain(forged), RosterObject::Name(opening)]);
    assert_eq!(roster.name_of(&OperatorId([101; 16])), Some("Person 101"));
}

/// An EMB with device 101, and another agency "aaa" with 109 whose administrator is hostile.
fn with_rival() -> (Roster, SignedChainEntry, SignedChainEntry) {
    let start = founded(vec![emb(), agency("aaa", AgencyKind::Other, 9)]);
    let (_, first) = one();
    let own = entry("aaa", None, ChainAction::Enrol(enrol(109, &[Role::Desk, Role::Admin])), &key(109));
    let objects = [RosterObject::Epoch(start), RosterObject::Chain(first.clone()), RosterObject::Chain(own.clone())];
    (roster(objects), first, own)
}

#[test]
fn two_agencies_naming_one_operator_differently_give_no_name() {
    let (mut roster, _, own) = with_rival();
    let opening = NameOpening { operator: OperatorId([101; 16]), name: "Mallory".into(), salt: "f".repeat(32) };
    let fake = Enrol {
        operator: opening.operator,
        operator_commitment: name_commitment(&opening),
        ..enrol(77, &[Role::Desk])
    };
    let claim = entry("aaa", Some(&own), ChainAction::Enrol(fake), &key(109));
    add(&mut roster, [RosterObject::Name(name(101)), RosterObject::Chain(claim), RosterObject::Name(opening)]);
    assert_eq!(roster.name_of(&OperatorId([101; 16])), None);
}

#[test]
fn a_copied_enrolment_stops_no_chain_and_a_bound_one_keeps_its_agency() {
    let (mut roster, first, own) = with_rival();
    let network = key(180).public();
    let bound = Enrol {
        network_key: Hash32(network),
        network_signature: Enrol::certify_for(&key(130), &network, &id("emb")),
        ..enrol(130, &[Role::Desk])
    };
    let real = entry("emb", Some(&first), ChainAction::Enrol(bound.clone()), &key(101));
    let after_real = entry("emb", Some(&real), ChainAction::Enrol(enrol(131, &[Role::Field])), &key(101));
    add(&mut roster, [RosterObject::Chain(real), RosterObject::Chain(after_real)]);
    // Copied as it is, the certificate does not hold for the other agency.
    let copy = entry("aaa", Some(&own), ChainAction::Enrol(bound.clone()), &key(109));
    assert_eq!(roster.add(RosterObject::Chain(copy)), Err(RosterError::Signature));
    // A certificate for any agency can be copied, but comes after one that is bound, and stops nothing.
    let loose = Enrol { network_signature: Enrol::certify(&key(130), &network), ..bound };
    let copy = entry("aaa", Some(&own), ChainAction::Enrol(loose), &key(109));
    let more = entry("aaa", Some(&copy), ChainAction::Enrol(enrol(131, &[Role::Field])), &key(109));
    add(&mut roster, [RosterObject::Chain(copy), RosterObject::Chain(more)]);
    assert_eq!((head(&roster, "emb").0, head(&roster, "aaa").0), (3, 3));
    assert_eq!(roster.device(&device(130)).unwrap().agency, id("emb"));
}

#[test]
fn a_newcomer_cannot_claim_a_device_of_an_agency_that_was_there_before() {
    let (epoch, first) = one();
    let newcomer = agency("aaa", AgencyKind::Other, 9);
    let next = after(&epoch, vec![emb(), newcomer], &[&emb()]);
    let own = entry("aaa", None, ChainAction::Enrol(enrol(109, &[Role::Desk, Role::Admin])), &key(109));
    let copy = entry("aaa", Some(&own), ChainAction::Enrol(enrol(101, &[Role::Desk])), &key(109));
    let roster = roster([
        RosterObject::Epoch(epoch),
        RosterObject::Epoch(next),
        RosterObject::Chain(own),
        RosterObject::Chain(copy),
        RosterObject::Chain(first),
    ]);
    assert_eq!(roster.device(&device(101)).unwrap().agency, id("emb"));
}

#[test]
fn an_endpoint_key_claimed_by_two_agencies_means_nobody() {
    let (mut roster, _, own) = with_rival();
    let network = enrol(101, &[]).network_key.0;
    assert_eq!(roster.device_by_network_key(&network).unwrap().id, device(101));
    let thief = Enrol {
        network_key: Hash32(network),
        network_signature: Enrol::certify(&key(77), &network),
        ..enrol(77, &[Role::Desk])
    };
    let claim = entry("aaa", Some(&own), ChainAction::Enrol(thief), &key(109));
    add(&mut roster, [RosterObject::Chain(claim.clone())]);
    assert!(roster.device_by_network_key(&network).is_none());
    let revoked = entry("aaa", Some(&claim), ChainAction::Revoke(revoke(77, None)), &key(109));
    add(&mut roster, [RosterObject::Chain(revoked)]);
    assert_eq!(roster.device_by_network_key(&network).unwrap().id, device(101));
}

fn card(owner: MailboxOwner, by: u8, seed: u8) -> RosterObject {
    let keys = (0..3).map(|week| (recipient(seed), [seed + week; 32])).collect();
    RosterObject::Card(MailboxCard::sign(owner, 3000, keys, &key(by)))
}

#[test]
fn mailbox_cards_count_from_those_who_may_publish_them() {
    let (mut roster, first) = emb_roster();
    let auditor = entry("emb", Some(&first), ChainAction::Enrol(enrol(130, &[Role::Auditor])), &key(101));
    let (agency, own) = (MailboxOwner::Agency(id("emb")), MailboxOwner::Device(device(130)));
    add(&mut roster, [card(agency.clone(), 130, 10), card(own.clone(), 101, 11), card(agency.clone(), 77, 12)]);
    add(&mut roster, [RosterObject::Chain(auditor.clone())]);
    assert_eq!((roster.mailbox(&agency, 3000), roster.mailbox(&own, 3000)), (None, None));
    add(&mut roster, [card(agency.clone(), 101, 20), card(own.clone(), 130, 21)]);
    assert_eq!(roster.mailbox(&agency, 3001).unwrap().1, [21; 32]);
    assert_eq!(roster.mailbox(&own, 3000).unwrap().1, [21; 32]);
    assert_eq!((roster.mailbox(&own, 2999), roster.mailbox(&own, 3003)), (None, None));
    let revoked = entry("emb", Some(&auditor), ChainAction::Revoke(revoke(130, None)), &key(101));
    add(&mut roster, [RosterObject::Chain(revoked)]);
    assert_eq!(roster.mailbox(&own, 3000), None);
    let RosterObject::Card(mut forged) = card(agency, 101, 30) else { unreachable!() };
    forged.first_week = 3001;
    assert_eq!(roster.add(RosterObject::Card(forged)), Err(RosterError::Signature));
}

#[test]
fn a_view_is_there_once_all_that_it_names_is() {
    let (full, first) = emb_roster();
    let view = full.current_view().unwrap();
    let mut roster = roster([RosterObject::View(view.clone())]);
    assert!(roster.view(&view.hash()).is_none());
    assert_eq!(roster.waits(&RosterObject::View(view.clone())), Some(Waits::Cited));
    add(&mut roster, [RosterObject::Epoch(one().0)]);
    assert!(roster.view(&view.hash()).is_none());
    add(&mut roster, [RosterObject::Chain(first)]);
    assert_eq!(roster.view(&view.hash()), Some(&view));
    let lies = [
        RosterView { epoch_number: 2, ..view.clone() },
        RosterView { heads: vec![(id("emb"), 2, view.heads[0].2)], ..view.clone() },
        RosterView { heads: vec![(id("emb"), 1, ChainEntryId([7; 32]))], ..view.clone() },
        RosterView { heads: vec![(id("nobody"), 1, view.heads[0].2)], ..view },
    ];
    for lie in lies {
        add(&mut roster, [RosterObject::View(lie.clone())]);
        assert!(roster.view(&lie.hash()).is_none());
    }
}

#[test]
fn roles_are_those_of_the_view() {
    let (mut roster, first) = emb_roster();
    let before = roster.current_view().unwrap();
    let enrolled = entry("emb", Some(&first), ChainAction::Enrol(enrol(130, &[Role::Field])), &key(101));
    add(&mut roster, [RosterObject::Chain(enrolled.clone())]);
    let field = roster.current_view().unwrap();
    let change = Roles { device: device(130), roles: vec![Role::Desk], cut: None, second: None };
    add(&mut roster, [RosterObject::Chain(entry("emb", Some(&enrolled), ChainAction::Roles(change), &key(101)))]);
    let desk = roster.current_view().unwrap();
    assert_eq!(roster.roles_at(&device(130), &before), None);
    assert_eq!(roster.roles_at(&device(130), &field), Some(vec![Role::Field]));
    assert_eq!(roster.roles_at(&device(130), &desk), Some(vec![Role::Desk]));
    assert_eq!(roster.roles_at(&device(77), &desk), None);
    assert!(desk.is_at_least(&field) && !field.is_at_least(&desk));
    let without = RosterView { heads: vec![], ..desk };
    assert_eq!(roster.roles_at(&device(130), &without), None);
}

#[test]
fn a_role_taken_away_is_gone_after_the_cut_whatever_is_cited() {
    let (mut roster, first) = emb_roster();
    let enrolled = entry("emb", Some(&first), ChainAction::Enrol(enrol(130, &[Role::Field, Role::Desk])), &key(101));
    add(&mut roster, [RosterObject::Chain(enrolled.clone())]);
    let old = roster.current_view().unwrap();
    let cut = Some(Cut { number: 7, head: EnvelopeId([7; 32]) });
    let change = Roles { device: device(130), roles: vec![Role::Field], cut, second: None };
    let taken = entry("emb", Some(&enrolled), ChainAction::Roles(change), &key(101));
    let given = Roles { device: device(130), roles: vec![Role::Field, Role::Exhibits], cut: None, second: None };
    let given = entry("emb", Some(&taken), ChainAction::Roles(given), &key(101));
    add(&mut roster, [RosterObject::Chain(taken), RosterObject::Chain(given)]);
    let now = roster.current_view().unwrap();
    assert_eq!(roster.roles_for(&device(130), &old, 7), Some(vec![Role::Field, Role::Desk]), "at the cut");
    assert_eq!(roster.roles_for(&device(130), &old, 8), Some(vec![Role::Field]));
    assert_eq!(roster.roles_at(&device(130), &old), Some(vec![Role::Field, Role::Desk]));
    assert_eq!(
        roster.roles_for(&device(130), &now, 8),
        Some(vec![Role::Field, Role::Exhibits]),
        "nothing is gained by the past"
    );
}

#[test]
fn an_agency_writes_only_under_epochs_that_name_it() {
    let start = founded(vec![emb(), court(), police()]);
    let own = entry("police", None, ChainAction::Enrol(enrol(103, &[Role::Desk, Role::Admin])), &key(103));
    let mut roster = roster([RosterObject::Epoch(start.clone()), RosterObject::Chain(own)]);
    let named = roster.current_view().unwrap();
    add(&mut roster, [RosterObject::Epoch(after(&start, vec![emb(), court()], &[&emb(), &court()]))]);
    let removed = roster.current_view().unwrap();
    assert!(roster.roles_at(&device(103), &named).is_some());
    assert_eq!(roster.roles_at(&device(103), &removed), None);
    assert!(removed.is_at_least(&named), "a removed agency's head stays in the view");
    let state = roster.agency(&id("police")).unwrap();
    assert!(!state.current && state.chain_len == 1);
    assert_eq!(roster.agencies().len(), 2);
}

#[test]
fn a_fork_leaves_earlier_and_later_entries_their_roles() {
    let (epoch, first) = one();
    let second = entry("emb", Some(&first), ChainAction::Enrol(enrol(111, &[Role::Desk, Role::Admin])), &key(101));
    let branch = entry("emb", Some(&second), ChainAction::Revoke(revoke(111, Some(3))), &key(101));
    let tip = entry("emb", Some(&branch), ChainAction::Enrol(enrol(130, &[Role::Field])), &key(101));
    let other = entry("emb", Some(&second), ChainAction::Revoke(revoke(101, Some(3))), &key(111));
    let settled = entry("emb", Some(&other), ChainAction::Enrol(enrol(131, &[Role::Field])), &key(1));
    let mut roster = roster([&first, &second, &branch, &tip].map(|entry| RosterObject::Chain(entry.clone())));
    add(&mut roster, [RosterObject::Epoch(epoch)]);
    let before = roster.current_view().unwrap();
    add(&mut roster, [RosterObject::View(before.clone()), RosterObject::Chain(other)]);
    let contested = roster.current_view().unwrap();
    add(&mut roster, [RosterObject::View(contested.clone())]);
    assert!(roster.agency(&id("emb")).unwrap().contested);
    assert!(roster.view(&before.hash()).is_some(), "a view of a branch stays readable");
    assert_eq!(roster.roles_at(&device(101), &before), Some(vec![Role::Desk, Role::Admin]));
    assert_eq!(roster.roles_at(&device(101), &contested), Some(vec![Role::Desk, Role::Admin]));
    assert_eq!(roster.roles_at(&device(130), &before), None, "enrolled beyond the fork");
    assert!(!contested.is_at_least(&before), "by numbers it goes back");
    assert!(!roster.went_back(&before.hash(), &contested.hash()), "on the chain in effect it does not");
    add(&mut roster, [RosterObject::Chain(settled)]);
    let now = roster.current_view().unwrap();
    add(&mut roster, [RosterObject::View(now.clone())]);
    assert!(!roster.went_back(&before.hash(), &now.hash()));
    assert!(roster.went_back(&now.hash(), &before.hash()));
    // A head that a stranger made up on the chain's back gives no roles.
    let fake = entry("emb", Some(&first), ChainAction::Enrol(enrol(99, &[Role::Field])), &key(77));
    add(&mut roster, [RosterObject::Chain(fake.clone())]);
    let made_up = RosterView { heads: vec![(id("emb"), 2, fake.id())], ..now };
    add(&mut roster, [RosterObject::View(made_up.clone())]);
    assert!(roster.view(&made_up.hash()).is_none());
    assert_eq!(roster.roles_at(&device(101), &made_up), None);
}

#[test]
fn extending_means_continuing_epochs_and_chains() {
    let (small, first) = emb_roster();
    let mut large = small.clone();
    let more = entry("emb", Some(&first), ChainAction::Enrol(enrol(130, &[Role::Field])), &key(101));
    add(&mut large, [RosterObject::Chain(more), RosterObject::Epoch(after(&one().0, vec![emb(), court()], &[&emb()]))]);
    assert!(large.extends(&small) && !small.extends(&large) && small.extends(&small));
    let mut other = small.clone();
    add(
        &mut other,
        [RosterObject::Chain(entry("emb", Some(&first), ChainAction::Enrol(enrol(131, &[Role::Field])), &key(101)))],
    );
    assert!(other.extends(&small) && !other.extends(&large) && !large.extends(&other));
    assert!(!roster([RosterObject::Epoch(founded(vec![court()]))]).extends(&small));
}
