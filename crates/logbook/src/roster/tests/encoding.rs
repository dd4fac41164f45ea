use super::*;

/// One of each kind, and the roster in which all of them have taken effect.
fn world() -> Vec<RosterObject> {
    let start = founded(vec![emb(), court()]);
    // Exactly as many signatures as it needs, so that none can be spared.
    let next = after(&start, vec![emb(), court(), police()], &[&emb(), &court()]);
    let (_, first) = one();
    let second = entry("emb", Some(&first), ChainAction::Enrol(enrol(111, &[Role::Desk, Role::Admin])), &key(101));
    let taken = entry("emb", Some(&second), ChainAction::Revoke(revoke(111, Some(3))), &key(101));
    let mut objects = vec![RosterObject::Epoch(start), RosterObject::Epoch(next)];
    objects.extend([first, second, taken].map(RosterObject::Chain));
    let view = roster(objects.clone()).current_view().unwrap();
    let card = MailboxCard::sign(MailboxOwner::Agency(id("emb")), 3000, vec![(recipient(9), [9; 32])], &key(101));
    objects.extend([RosterObject::View(view), RosterObject::Name(name(101)), RosterObject::Card(card)]);
    objects
}

/// What follows, and also what can be looked up.
fn seen(roster: &Roster, views: &[seal::RosterHash]) -> String {
    let views: Vec<bool> = views.iter().map(|hash| roster.view(hash).is_some()).collect();
    let mailbox = roster.mailbox(&MailboxOwner::Agency(id("emb")), 3000);
    format!("{} {views:?} {mailbox:?}", facts(roster))
}

#[test]
fn every_object_returns_from_its_encoding_under_one_id() {
    for object in world() {
        let bytes = object.encode();
        assert!(bytes.len() <= MAX_OBJECT);
        let read = RosterObject::decode(&bytes).expect("its own encoding");
        assert_eq!((&read, read.id()), (&object, object.id()));
        assert!(RosterObject::decode(&[bytes.as_slice(), b" "].concat()).is_err(), "nothing may follow");
        assert!(RosterObject::decode(&bytes[..bytes.len() - 1]).is_err());
    }
    assert!(RosterObject::decode(&[]).is_err());
    assert!(RosterObject::decode(&[9, 1, 2]).is_err());
    assert!(RosterObject::decode(&vec![b' '; MAX_OBJECT + 1]).is_err());
}

#[test]
fn a_flipped_bit_is_refused_or_changes_nothing() {
    let objects = world();
    for (at, object) in objects.iter().enumerate() {
        let lacking = roster(objects.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, o)| o.clone()));
        let full = roster(objects.iter().cloned());
        let hash = match object {
            RosterObject::View(view) => vec![view.hash()],
            _ => Vec::new(),
        };
        let (without, with) = (seen(&lacking, &hash), seen(&full, &hash));
        assert_ne!(without, with, "each object matters");
        let bytes = object.encode();
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let Ok(read) = RosterObject::decode(&flipped) else { continue };
            let mut after = lacking.clone();
            let refused = after.add(read.clone()).is_err();
            let same_body =
                matches!((object, &read), (RosterObject::Epoch(a), RosterObject::Epoch(b)) if a.body == b.body);
            let state = seen(&after, &hash);
            // An epoch whose acceptance was damaged is that epoch all the same, without it.
            let harmless = state == without || (same_body && after.epoch_id() == full.epoch_id() && state != with);
            assert!(refused || harmless, "bit {bit} of object {at}");
            let mut after = full.clone();
            let _ = after.add(read);
            assert_eq!(seen(&after, &hash), with, "bit {bit} of object {at} changes what is known");
        }
    }
}

#[test]
fn a_json_object_has_one_spelling() {
    let object = world().remove(0);
    let text = String::from_utf8(object.encode()[1..].to_vec()).unwrap();
    let variants = [
        text.replacen(":", ": ", 1),
        text.replacen("\"acceptances\"", "\"x\":1,\"acceptances\"", 1),
        text.replacen("\"acceptances\":[", "\"acceptances\":[],\"acceptances\":[", 1),
        text.replacen("Parliamentary", "P\\u0061rliamentary", 1),
        format!("{}\n", text),
        text.replacen("}]}", "}],\"waivers\":[]}", 1),
    ];
    for variant in variants {
        assert_ne!(variant, text);
        assert!(RosterObject::decode(&[&[1], variant.as_bytes()].concat()).is_err(), "{variant}");
    }
}

#[test]
fn signature_lists_are_sorted_and_without_repetition() {
    let RosterObject::Epoch(epoch) = world().remove(0) else { unreachable!() };
    let mut reversed = epoch.clone();
    reversed.signatures.reverse();
    assert!(Roster::new().add(RosterObject::Epoch(reversed)).is_err());
    let mut doubled = epoch;
    let first = doubled.signatures[0].clone();
    doubled.signatures.insert(0, first);
    assert!(Roster::new().add(RosterObject::Epoch(doubled)).is_err());
}

#[test]
fn views_and_cards_are_bounded_and_sorted() {
    let head = |name: &str| (id(name), 1, ChainEntryId([1; 32]));
    let view = |heads| RosterView { epoch_number: 1, epoch: seal::EpochId([1; 32]), heads };
    assert!(RosterView::decode(&view(vec![head("a"), head("b")]).encode()).is_ok());
    assert!(RosterView::decode(&view(vec![head("b"), head("a")]).encode()).is_err());
    assert!(RosterView::decode(&view(vec![head("a"), head("a")]).encode()).is_err());
    assert!(RosterView::decode(&view(vec![(id("a"), 0, ChainEntryId([1; 32]))]).encode()).is_err());
    let many = |count: usize| view((0..count).map(|n| head(&format!("a{n:03}"))).collect());
    assert!(RosterView::decode(&many(256).encode()).is_ok());
    assert!(RosterView::decode(&many(257).encode()).is_err());
    let card =
        |weeks| MailboxCard::sign(MailboxOwner::Device(device(1)), 1, vec![(recipient(1), [1; 32]); weeks], &key(1));
    assert!(MailboxCard::decode(&card(60).encode()).is_ok());
    assert!(MailboxCard::decode(&card(61).encode()).is_err());
    assert!(MailboxCard::decode(&card(0).encode()).is_err());
}

#[test]
fn ids_and_codes_have_one_spelling() {
    for good in ["a", "emb-2", &"x".repeat(32)] {
        assert_eq!(good.parse::<AgencyId>().unwrap().to_string(), good);
    }
    for bad in ["", "EMB", "a b", "é", "a_b", &"x".repeat(33)] {
        assert!(bad.parse::<AgencyId>().is_err());
        assert!(serde_json::from_value::<AgencyId>(bad.into()).is_err());
    }
    for role in Role::ALL {
        assert_eq!(role.to_string().parse(), Ok(*role));
        assert_eq!(serde_json::to_value(role).unwrap(), role.code());
    }
    for kind in AgencyKind::ALL {
        assert_eq!(kind.to_string().parse(), Ok(*kind));
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.code());
    }
    assert!("Admin".parse::<Role>().is_err());
}
