use super::*;

fn with(objects: &[RosterObject], more: impl IntoIterator<Item = SignedChainEntry>) -> Roster {
    roster(objects.iter().cloned().chain(more.into_iter().map(RosterObject::Chain)))
}

fn field(seed: u8) -> ChainAction {
    ChainAction::Enrol(enrol(seed, &[Role::Field]))
}

/// An EMB with two administrators, 101 and 111, and the last entry.
fn two_admins() -> (Vec<RosterObject>, SignedChainEntry) {
    let (epoch, first) = one();
    let second = entry("emb", Some(&first), ChainAction::Enrol(enrol(111, &[Role::Desk, Role::Admin])), &key(101));
    let objects = vec![RosterObject::Epoch(epoch), RosterObject::Chain(first), RosterObject::Chain(second.clone())];
    (objects, second)
}

#[test]
fn the_founding_administrator_enrols_itself_even_before_the_epoch() {
    let (epoch, first) = one();
    let mut roster = Roster::new();
    assert_eq!(roster.add(RosterObject::Chain(first.clone())), Ok(true));
    assert_eq!(roster.waits(&RosterObject::Chain(first.clone())), Some(Waits::Chain));
    assert_eq!(roster.add(RosterObject::Epoch(epoch)), Ok(true));
    assert_eq!(roster.waits(&RosterObject::Chain(first.clone())), None);
    assert_eq!(roster.add(RosterObject::Chain(first)), Ok(false));
    assert_eq!(roster.device(&device(101)).unwrap().agency, id("emb"));
}

#[test]
fn only_a_listed_administrator_founds_and_only_itself() {
    let (epoch, _) = one();
    let stranger = entry("emb", None, ChainAction::Enrol(enrol(77, &[Role::Admin])), &key(77));
    let other = entry("emb", None, ChainAction::Enrol(enrol(77, &[Role::Admin])), &key(101));
    let objects = [RosterObject::Epoch(epoch)];
    assert_eq!(head(&with(&objects, [stranger, other]), "emb").0, 0);
    let by_root = entry("emb", None, ChainAction::Enrol(enrol(77, &[Role::Admin])), &key(1));
    assert_eq!(head(&with(&objects, [by_root]), "emb").0, 1);
}

#[test]
fn a_forged_signature_is_refused() {
    let (_, mut first) = one();
    first.by = Hash32(key(77).public());
    assert_eq!(Roster::new().add(RosterObject::Chain(first.clone())), Err(RosterError::Signature));
    first.signature = "0".repeat(128);
    assert_eq!(Roster::new().add(RosterObject::Chain(first)), Err(RosterError::Signature));
}

#[test]
fn a_stranger_signing_the_same_body_does_not_displace_the_administrator() {
    let (epoch, first) = one();
    let forged = SignedChainEntry::sign(&ChainEntry::parse(&first.body).unwrap(), &key(77));
    assert_eq!(forged.id(), first.id());
    for order in [[&first, &forged], [&forged, &first]] {
        let roster = with(&[RosterObject::Epoch(epoch.clone())], order.map(Clone::clone));
        assert_eq!(head(&roster, "emb").0, 1);
        let passed_on: Vec<RosterObject> = roster.objects();
        assert!(passed_on.contains(&RosterObject::Chain(first.clone())));
        assert!(!passed_on.contains(&RosterObject::Chain(forged.clone())), "junk is not passed on");
    }
}

#[test]
fn entries_hang_on_their_number_and_predecessor() {
    let (objects, second) = two_admins();
    let mut wrong = ChainEntry::parse(&entry("emb", Some(&second), field(130), &key(101)).body).unwrap();
    wrong.prev = Some(ChainEntryId([7; 32]));
    let wrong = SignedChainEntry::sign(&wrong, &key(101));
    let roster = with(&objects, [wrong.clone()]);
    assert_eq!((head(&roster, "emb").0, roster.waits(&RosterObject::Chain(wrong))), (2, Some(Waits::Chain)));
    let mut skipped = ChainEntry::parse(&entry("emb", Some(&second), field(130), &key(101)).body).unwrap();
    skipped.number = 4;
    assert_eq!(head(&with(&objects, [SignedChainEntry::sign(&skipped, &key(101))]), "emb").0, 2);
    let mut elsewhere = ChainEntry::parse(&entry("emb", Some(&second), field(130), &key(101)).body).unwrap();
    elsewhere.agency = id("court");
    assert_eq!(head(&with(&objects, [SignedChainEntry::sign(&elsewhere, &key(101))]), "emb").0, 2);
    assert_eq!(head(&with(&objects, [entry("emb", Some(&second), field(130), &key(101))]), "emb").0, 3);
}

#[test]
fn who_is_no_administrator_any_more_signs_nothing() {
    let (objects, second) = two_admins();
    let desk = entry("emb", Some(&second), ChainAction::Enrol(enrol(130, &[Role::Desk])), &key(101));
    let by_desk = entry("emb", Some(&desk), field(131), &key(130));
    assert_eq!(head(&with(&objects, [desk.clone(), by_desk]), "emb").0, 3);
    let revoked = entry("emb", Some(&desk), ChainAction::Revoke(revoke(111, Some(4))), &key(101));
    let by_revoked = entry("emb", Some(&revoked), field(131), &key(111));
    assert_eq!(head(&with(&objects, [desk.clone(), revoked, by_revoked]), "emb").0, 4);
    let demotion = Roles { device: device(111), roles: vec![Role::Desk], cut: None, second: None };
    let demoted = entry("emb", Some(&desk), ChainAction::Roles(demotion), &key(101));
    let by_demoted = entry("emb", Some(&demoted), field(131), &key(111));
    assert_eq!(head(&with(&objects, [desk, demoted, by_demoted]), "emb").0, 4);
}

#[test]
fn a_useless_entry_does_not_stop_the_chain() {
    let (objects, second) = two_admins();
    let unknown = entry("emb", Some(&second), ChainAction::Revoke(revoke(99, None)), &key(101));
    let twice = entry("emb", Some(&second), ChainAction::Enrol(enrol(111, &[Role::Field])), &key(101));
    let good = entry("emb", Some(&second), field(130), &key(101));
    let roster = with(&objects, [unknown, twice, good.clone()]);
    assert_eq!(head(&roster, "emb"), (3, Some(good.id())));
    assert!(!roster.agency(&id("emb")).unwrap().contested);
}

#[test]
fn a_second_administrator_must_agree_where_there_is_one() {
    let (objects, third) = three_admins();
    let alone = entry("emb", Some(&third), ChainAction::Revoke(revoke(111, Some(4))), &key(101));
    assert_eq!(head(&with(&objects, [alone.clone()]), "emb").0, 3);
    assert_eq!(with(&objects, [alone.clone()]).waits(&RosterObject::Chain(alone)), Some(Waits::Authority));
    let seconded = |second: SecondApproval| {
        let revoke = Revoke { second: Some(second), ..revoke(111, Some(4)) };
        let entry = entry("emb", Some(&third), ChainAction::Revoke(revoke), &key(101));
        head(&with(&objects, [entry]), "emb").0
    };
    assert_eq!(seconded(SecondApproval::sign(&device(111), 4, &key(121))), 4);
    assert_eq!(seconded(SecondApproval::sign(&device(111), 5, &key(121))), 3, "another cut");
    assert_eq!(seconded(SecondApproval::sign(&device(121), 4, &key(121))), 3, "another device");
    assert_eq!(seconded(SecondApproval::sign(&device(111), 4, &key(101))), 3, "the first itself");
    assert_eq!(seconded(SecondApproval::sign(&device(111), 4, &key(111))), 3, "the device concerned");
    assert_eq!(seconded(SecondApproval::sign(&device(111), 4, &key(77))), 3, "a stranger");
    let mut renamed = SecondApproval::sign(&device(111), 4, &key(77));
    renamed.by = device(121);
    assert_eq!(seconded(renamed), 3, "a forged approval");
    let by_root = entry("emb", Some(&third), ChainAction::Revoke(revoke(111, Some(4))), &key(1));
    assert_eq!(head(&with(&objects, [by_root]), "emb").0, 4, "the root overrides");
}

#[test]
fn an_administrator_cannot_strip_the_others_and_then_revoke_alone() {
    let (objects, third) = three_admins();
    let strip = |second: Option<SecondApproval>| {
        let change = Roles { device: device(111), roles: vec![Role::Desk], cut: None, second };
        let stripped = entry("emb", Some(&third), ChainAction::Roles(change), &key(101));
        head(&with(&objects, [stripped]), "emb").0
    };
    assert_eq!(strip(None), 3);
    assert_eq!(strip(Some(SecondApproval::sign_roles(&device(111), &[Role::Desk], 0, &key(121)))), 4);
    assert_eq!(strip(Some(SecondApproval::sign_roles(&device(111), &[Role::Field], 0, &key(121)))), 3);
    assert_eq!(strip(Some(SecondApproval::sign(&device(111), 0, &key(121)))), 3, "agreed to something else");
    // One may lay down one's own role, and change what is not admin.
    let own = Roles { device: device(101), roles: vec![Role::Desk], cut: None, second: None };
    let own = entry("emb", Some(&third), ChainAction::Roles(own), &key(101));
    assert_eq!(head(&with(&objects, [own]), "emb").0, 4);
    let kept = Roles { device: device(111), roles: vec![Role::Admin], cut: None, second: None };
    let kept = entry("emb", Some(&third), ChainAction::Roles(kept), &key(101));
    assert_eq!(head(&with(&objects, [kept]), "emb").0, 4);
}

#[test]
fn two_administrators_revoking_each_other_is_contested_until_the_root_settles() {
    let (objects, second) = two_admins();
    let one = entry("emb", Some(&second), ChainAction::Revoke(revoke(111, Some(3))), &key(101));
    let other = entry("emb", Some(&second), ChainAction::Revoke(revoke(101, Some(3))), &key(111));
    let roster = with(&objects, [one.clone(), other.clone()]);
    let agency = roster.agency(&id("emb")).unwrap();
    assert!(agency.contested);
    assert_eq!((agency.chain_len, agency.contested_revocations.len()), (2, 2));
    assert!(roster.devices().all(|device| device.revoked.is_none()), "neither takes effect");
    // What either of them goes on to do has no effect either.
    let more = entry("emb", Some(&one), field(130), &key(101));
    assert_eq!(head(&with(&objects, [one.clone(), other.clone(), more.clone()]), "emb").0, 2);

    let settled = entry("emb", Some(&other), field(131), &key(1));
    for order in [[&one, &other, &settled, &more], [&settled, &more, &other, &one]] {
        let roster = with(&objects, order.map(Clone::clone));
        let agency = roster.agency(&id("emb")).unwrap();
        assert_eq!((agency.contested, agency.chain_len), (false, 4));
        assert!(agency.contested_revocations.is_empty());
        assert!(roster.device(&device(101)).unwrap().revoked.is_some());
        assert!(roster.device(&device(111)).unwrap().revoked.is_none());
        assert!(roster.device(&device(130)).is_none());
    }
    // A root-signed entry that does not follow by its number names no branch, and is not passed on.
    let mut skipped = ChainEntry::parse(&settled.body).unwrap();
    skipped.number = 9;
    let skipped = SignedChainEntry::sign(&skipped, &key(1));
    let roster = with(&objects, [one.clone(), other.clone(), skipped.clone()]);
    assert!(roster.agency(&id("emb")).unwrap().contested);
    assert!(!roster.objects().contains(&RosterObject::Chain(skipped)));
    // A stranger settles nothing; a root that names both branches settles nothing.
    let stranger = entry("emb", Some(&other), field(131), &key(77));
    assert!(with(&objects, [one.clone(), other.clone(), stranger]).agency(&id("emb")).unwrap().contested);
    let both = entry("emb", Some(&one), field(132), &key(1));
    assert!(with(&objects, [one, other, settled, both]).agency(&id("emb")).unwrap().contested);
}

#[test]
fn the_root_may_take_the_place_of_both() {
    let (objects, second) = two_admins();
    let one = entry("emb", Some(&second), ChainAction::Revoke(revoke(111, Some(3))), &key(101));
    let other = entry("emb", Some(&second), ChainAction::Revoke(revoke(101, Some(3))), &key(111));
    let root = entry("emb", Some(&second), field(130), &key(1));
    let roster = with(&objects, [one, other, root.clone()]);
    assert_eq!(head(&roster, "emb"), (3, Some(root.id())));
    assert!(!roster.agency(&id("emb")).unwrap().contested);
}

#[test]
fn a_root_signed_entry_guards_everything_before_it() {
    // A revoked administrator forks the chain where it still had a say.
    let (objects, second) = two_admins();
    let revoked = entry("emb", Some(&second), ChainAction::Revoke(revoke(111, Some(3))), &key(101));
    let later = entry("emb", Some(&revoked), field(130), &key(101));
    let fork = entry("emb", Some(&second), field(131), &key(111));
    let contested = with(&objects, [revoked.clone(), later.clone(), fork.clone()]);
    let agency = contested.agency(&id("emb")).unwrap();
    assert!(agency.contested);
    assert_eq!(agency.contested_revocations, [device(111)], "shown to people");
    let guard = entry("emb", Some(&later), field(132), &key(1));
    let guarded = with(&objects, [revoked, later, fork, guard]);
    assert_eq!(head(&guarded, "emb").0, 5);
    assert!(guarded.device(&device(111)).unwrap().revoked.is_some());
}

#[test]
fn a_long_branch_costs_no_stack() {
    let (objects, second) = two_admins();
    let mut branch = vec![entry("emb", Some(&second), ChainAction::Revoke(revoke(111, None)), &key(101))];
    let mut same = enrol(101, &[Role::Desk, Role::Admin]).roles;
    same.sort();
    for _ in 0..3000 {
        let same = Roles { device: device(101), roles: same.clone(), cut: None, second: None };
        let next = entry("emb", branch.last(), ChainAction::Roles(same), &key(101));
        branch.push(next);
    }
    let guard = entry("emb", branch.last(), field(130), &key(1));
    let fork = entry("emb", Some(&second), field(131), &key(111));
    let mut roster = Roster::new();
    let entries = branch.into_iter().chain([guard, fork]).map(RosterObject::Chain);
    roster.add_all(objects.into_iter().chain(entries));
    assert_eq!(head(&roster, "emb").0, 3004);
}

#[test]
fn a_former_root_has_no_say_of_its_own_and_its_past_needs_the_new_one() {
    let (epoch, first) = one();
    let by_root = entry("emb", Some(&first), ChainAction::Enrol(enrol(111, &[Role::Desk, Role::Admin])), &key(1));
    let mut renewed = emb();
    renewed.root = Hash32(key(61).public());
    let next = after(&epoch, vec![renewed], &[&emb()]);
    let objects = [
        RosterObject::Epoch(epoch),
        RosterObject::Chain(first),
        RosterObject::Chain(by_root.clone()),
        RosterObject::Epoch(next),
    ];
    assert_eq!(head(&roster(objects.clone()), "emb").0, 1);
    let forged = entry("emb", Some(&by_root), ChainAction::Enrol(enrol(77, &[Role::Admin])), &key(1));
    assert!(with(&objects, [forged.clone()]).device(&device(77)).is_none());
    let affirmed = entry("emb", Some(&by_root), field(130), &key(61));
    let roster = with(&objects, [forged, affirmed.clone()]);
    assert_eq!(head(&roster, "emb"), (3, Some(affirmed.id())));
    assert!(roster.device(&device(111)).is_some());
    assert!(roster.device(&device(77)).is_none());
}

#[test]
fn nothing_comes_back_by_revoking_or_enrolling_again() {
    let (objects, second) = two_admins();
    let revoked = entry("emb", Some(&second), ChainAction::Revoke(revoke(111, Some(5))), &key(101));
    let later = entry("emb", Some(&revoked), ChainAction::Revoke(revoke(111, Some(9))), &key(101));
    let roster = with(&objects, [revoked.clone(), later]);
    assert_eq!(roster.cut(&device(111)).unwrap().unwrap().number, 5);
    let earlier = entry("emb", Some(&revoked), ChainAction::Revoke(revoke(111, None)), &key(101));
    let roster = with(&objects, [revoked.clone(), earlier]);
    assert_eq!(roster.cut(&device(111)), Some(None));
    assert_eq!(roster.device(&device(111)).unwrap().revoked.as_ref().unwrap().number, 3, "since the first");
    let again = entry("emb", Some(&revoked), ChainAction::Enrol(enrol(111, &[Role::Admin])), &key(101));
    assert_eq!(head(&with(&objects, [revoked, again]), "emb").0, 3);
}

#[test]
fn agency_keys_follow_by_number() {
    let (objects, second) = two_admins();
    let fresh = |epoch, seed, prev: &SignedChainEntry| {
        let wraps = vec![KeyWrap { device: device(101), sealed: "00ff".into() }];
        let key_entry = AgencyKey { epoch, recipient: recipient(seed), wraps };
        entry("emb", Some(prev), ChainAction::AgencyKey(key_entry), &key(101))
    };
    let two = fresh(2, 140, &second);
    let keys = |entries: Vec<SignedChainEntry>| {
        let keys = with(&objects, entries).agency(&id("emb")).unwrap().key_epochs;
        keys.into_iter().map(|(epoch, _)| epoch).collect::<Vec<_>>()
    };
    assert_eq!(keys(vec![]), [1]);
    assert_eq!(keys(vec![two.clone(), fresh(3, 141, &two)]), [1, 2, 3]);
    assert_eq!(keys(vec![fresh(3, 141, &second)]), [1]);
    assert_eq!(keys(vec![two.clone(), fresh(2, 141, &two)]), [1, 2]);
}

#[test]
fn a_malformed_entry_is_refused() {
    let refused = |action: ChainAction| {
        let signed = entry("emb", None, action, &key(101));
        assert!(Roster::new().add(RosterObject::Chain(signed.clone())).is_err(), "{}", signed.body);
    };
    let enrolled = || enrol(101, &[Role::Desk, Role::Admin]);
    refused(ChainAction::Enrol(Enrol { name: " ".into(), ..enrolled() }));
    refused(ChainAction::Enrol(Enrol { unit: Some("u".repeat(65)), ..enrolled() }));
    refused(ChainAction::Enrol(Enrol { roles: vec![], ..enrolled() }));
    refused(ChainAction::Enrol(Enrol { roles: vec![Role::Admin, Role::Desk], ..enrolled() }));
    refused(ChainAction::Enrol(Enrol { roles: vec![Role::Desk, Role::Desk], ..enrolled() }));
    refused(ChainAction::Enrol(Enrol { network_key: Hash32([1; 32]), ..enrolled() }));
    refused(ChainAction::Enrol(Enrol { device: device(77), ..enrolled() }));
    refused(ChainAction::Revoke(Revoke { reason: String::new(), ..revoke(101, None) }));
    refused(ChainAction::Revoke(Revoke { reason: "r".repeat(2001), ..revoke(101, None) }));
    refused(ChainAction::Revoke(revoke(101, Some(0))));
    let key_entry = |epoch, wraps| ChainAction::AgencyKey(AgencyKey { epoch, recipient: recipient(9), wraps });
    let wrap = |seed, sealed: &str| KeyWrap { device: device(seed), sealed: sealed.into() };
    refused(key_entry(1, vec![]));
    refused(key_entry(2, vec![wrap(1, "0")]));
    refused(key_entry(2, vec![wrap(1, "FF")]));
    refused(key_entry(2, vec![wrap(1, "00"), wrap(1, "01")]));
    refused(key_entry(2, (0..65).map(|seed| wrap(seed, "00")).collect()));
}
