use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::*;

/// Keys that sign in a random history: administrators, roots, an outsider.
const SIGNERS: [u8; 7] = [101, 111, 102, 1, 2, 61, 77];

/// One random step: agency, predecessor, action, signer.
type Step = (u8, u8, u8, u8);

fn action(choice: u8, seed: u8) -> ChainAction {
    let target = [101, 111, 102, 130, 131][usize::from(seed % 5)];
    match choice % 8 {
        0 => ChainAction::Enrol(enrol(111, &[Role::Desk, Role::Admin])),
        1 => ChainAction::Enrol(enrol(target, &[Role::Field])),
        2 => ChainAction::Enrol(enrol(130 + seed % 8, &[Role::Desk])),
        3 => ChainAction::Revoke(revoke(target, (!seed.is_multiple_of(3)).then_some(u64::from(seed)))),
        4 => {
            let second = Some(SecondApproval::sign(&device(target), 3, &key(111)));
            ChainAction::Revoke(Revoke { second, ..revoke(target, Some(3)) })
        }
        5 => ChainAction::Roles(Roles { device: device(target), roles: vec![Role::Desk], cut: None, second: None }),
        6 => ChainAction::Roles(Roles { device: device(target), roles: vec![Role::Admin], cut: None, second: None }),
        _ => ChainAction::AgencyKey(AgencyKey {
            epoch: 2 + u32::from(seed % 2),
            recipient: recipient(seed),
            wraps: vec![],
        }),
    }
}

/// A history with forks, strangers, changed roots and rival epochs.
fn history(steps: &[Step], epochs: u8) -> Vec<RosterObject> {
    let start = founded(vec![emb(), court(), watch()]);
    let mut objects = vec![RosterObject::Epoch(start.clone())];
    let mut renewed = emb();
    renewed.root = Hash32(key(61).public());
    let next = after(&start, vec![renewed.clone(), court(), watch()], &[&emb(), &court()]);
    let rival = after(&start, vec![emb(), court(), watch(), police()], &[&court(), &watch(), &emb()]);
    let third = after(&next, vec![renewed, court(), watch(), cert()], &[&court()]);
    let mut wrong = next.clone();
    wrong.sign(&id("emb"), &key(77));
    let offered = [(1, wrong), (2, next), (4, third), (64, rival)];
    objects
        .extend(offered.into_iter().filter(|(bit, _)| epochs & bit != 0).map(|(_, epoch)| RosterObject::Epoch(epoch)));
    let mut chains: [Vec<SignedChainEntry>; 2] = [
        vec![entry("emb", None, ChainAction::Enrol(enrol(101, &[Role::Desk, Role::Admin])), &key(101))],
        vec![entry("court", None, ChainAction::Enrol(enrol(102, &[Role::Desk, Role::Admin])), &key(102))],
    ];
    for (agency, prev, choice, signer) in steps {
        let agency = usize::from(agency % 2);
        let chain = &mut chains[agency];
        // Mostly at the end, sometimes anywhere.
        let prev = if prev.is_multiple_of(4) { usize::from(*prev) % chain.len() } else { chain.len() - 1 };
        let prev = chain[prev].clone();
        let signer = key(SIGNERS[usize::from(*signer) % SIGNERS.len()]);
        chain.push(entry(["emb", "court"][agency], Some(&prev), action(*choice, choice / 8), &signer));
    }
    objects.extend(chains.into_iter().flatten().map(RosterObject::Chain));
    objects.extend([101, 111, 102, 130].map(|seed| RosterObject::Name(name(seed))));
    let mut so_far = Roster::new();
    let views: Vec<RosterObject> = objects
        .iter()
        .filter_map(|object| {
            let _ = so_far.add(object.clone());
            so_far.current_view().map(RosterObject::View)
        })
        .collect();
    objects.extend(views);
    for (owner, by) in [(MailboxOwner::Agency(id("emb")), 111), (MailboxOwner::Device(device(101)), 101)] {
        objects.push(RosterObject::Card(MailboxCard::sign(owner, 3000, vec![(recipient(by), [by; 32])], &key(by))));
    }
    objects
}

/// Facts, and everything that every view and device gives.
fn all_of(roster: &Roster, objects: &[RosterObject]) -> String {
    let views: Vec<_> = objects
        .iter()
        .filter_map(|object| match object {
            RosterObject::View(view) => Some(view),
            _ => None,
        })
        .collect();
    let roles: Vec<_> = views
        .iter()
        .map(|view| {
            let roles: Vec<_> = roster.devices().map(|device| roster.roles_for(&device.id, view, 3)).collect();
            (roster.view(&view.hash()).is_some(), roles)
        })
        .collect();
    let back: Vec<bool> = views.windows(2).map(|pair| roster.went_back(&pair[0].hash(), &pair[1].hash())).collect();
    let mailboxes = (
        roster.mailbox(&MailboxOwner::Agency(id("emb")), 3000),
        roster.mailbox(&MailboxOwner::Device(device(101)), 3000),
    );
    format!("{} {roles:?} {back:?} {mailboxes:?} {:?}", facts(roster), roster.equivocations())
}

fn encoded(roster: &Roster) -> Vec<Vec<u8>> {
    roster.objects().iter().map(RosterObject::encode).collect()
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    proptest::collection::vec(any::<Step>(), 0..14)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 160, rng_seed: RngSeed::Fixed(0x1217), ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_arrival_gives_the_same(
        (objects, shuffled) in (steps(), any::<u8>()).prop_flat_map(|(steps, epochs)| {
            let objects = history(&steps, epochs);
            (Just(objects.clone()), Just(objects).prop_shuffle())
        })
    ) {
        let one_by_one = roster(objects.iter().cloned());
        let other = roster(shuffled.iter().cloned());
        let mut at_once = Roster::new();
        at_once.add_all(shuffled.iter().cloned());
        let expected = all_of(&one_by_one, &objects);
        prop_assert_eq!(&all_of(&other, &objects), &expected);
        prop_assert_eq!(&all_of(&at_once, &objects), &expected);
        prop_assert_eq!(encoded(&other), encoded(&one_by_one));
        prop_assert_eq!(encoded(&at_once), encoded(&one_by_one));
        for object in &objects {
            prop_assert_eq!(other.waits(object), one_by_one.waits(object));
        }
        let mut again = other.clone();
        let (new, _) = again.add_all(objects.iter().cloned());
        prop_assert!(new.is_empty(), "adding everything again is nothing new");
    }

    #[test]
    fn what_is_passed_on_gives_the_same_and_waits_for_nothing_that_comes_later(steps in steps(), epochs in any::<u8>()) {
        let objects = history(&steps, epochs);
        let sender = roster(objects.iter().cloned());
        let mut receiver = Roster::new();
        for object in sender.objects() {
            prop_assert_eq!(receiver.add(object.clone()), Ok(true));
            let waits = receiver.waits(&object);
            prop_assert!(!matches!(waits, Some(Waits::Absent | Waits::Epoch | Waits::Chain | Waits::Cited)), "{:?}", waits);
        }
        prop_assert_eq!(all_of(&receiver, &objects), all_of(&sender, &objects));
        prop_assert!(receiver.extends(&sender) && sender.extends(&receiver));
    }

    #[test]
    fn an_outsider_changes_nothing(steps in steps(), epochs in any::<u8>()) {
        let outsider = Hash32(key(77).public());
        let objects = history(&steps, epochs);
        let honest = objects.iter().filter(|object| !matches!(object, RosterObject::Chain(entry) if entry.by == outsider));
        let (all, honest) = (roster(objects.iter().cloned()), roster(honest.cloned()));
        // Entries on top of an outsider's hang in the air in both.
        prop_assert_eq!(facts(&all), facts(&honest));
        let passed_on = all.objects();
        prop_assert!(!passed_on.iter().any(|object| matches!(object, RosterObject::Chain(entry) if entry.by == outsider)));
    }
}

fn junk(number: u32) -> RosterObject {
    let reason = format!("{number:0>2000}");
    RosterObject::Chain(entry("emb", None, ChainAction::Revoke(Revoke { reason, ..revoke(101, None) }), &key(77)))
}

#[test]
fn strangers_cannot_fill_memory_nor_keep_out_what_takes_effect() {
    let (epoch, first) = one();
    let mut roster = roster([RosterObject::Epoch(epoch), RosterObject::Chain(first.clone())]);
    let before = facts(&roster);
    let (new, refused) = roster.add_all((0..9000).map(junk));
    assert!(!new.is_empty() && refused.contains(&RosterError::Full));
    assert_eq!(new.len() + refused.len(), 9000);
    assert_eq!(facts(&roster), before);
    // Full: one more that waits is refused, what takes effect is not, and what was held stays.
    assert_eq!(roster.add(junk(9001)), Err(RosterError::Full));
    let second = entry("emb", Some(&first), ChainAction::Enrol(enrol(111, &[Role::Desk])), &key(101));
    let third = entry("emb", Some(&second), ChainAction::Enrol(enrol(112, &[Role::Desk])), &key(101));
    assert_eq!(roster.add(RosterObject::Chain(third.clone())), Err(RosterError::Full), "out of order");
    assert_eq!(roster.add(RosterObject::Chain(second)), Ok(true));
    assert_eq!(roster.add(RosterObject::Chain(third)), Ok(true));
    assert_eq!(roster.add(RosterObject::Name(name(111))), Ok(true));
    assert_eq!(head(&roster, "emb").0, 3);
    assert!(roster.objects().len() < 10);
}

#[test]
fn an_epoch_that_waits_keeps_room_for_the_right_signature() {
    // Strangers may offer a few signatures that cannot be checked yet; more are not kept.
    let start = founded(vec![emb(), court()]);
    let good = after(&start, vec![emb(), court(), police()], &[&emb(), &court()]);
    let mut roster = roster([RosterObject::Epoch(good)]);
    let kept = (10..40).filter(|seed| {
        let mut bad = after(&start, vec![emb(), court(), police()], &[]);
        bad.sign(&id("court"), &key(*seed));
        roster.add(RosterObject::Epoch(bad)) == Ok(true)
    });
    assert_eq!(kept.count(), 3);
    roster.add(RosterObject::Epoch(start)).unwrap();
    assert_eq!(roster.epoch().unwrap().number, 2);
}
