use super::*;

fn number(roster: &Roster) -> u64 {
    roster.epoch().map_or(0, |epoch| epoch.number)
}

fn reached(objects: impl IntoIterator<Item = SignedEpoch>) -> u64 {
    number(&roster(objects.into_iter().map(RosterObject::Epoch)))
}

fn everyone() -> Vec<AgencyRecord> {
    vec![emb(), court(), police(), cert(), watch()]
}

#[test]
fn thresholds_are_those_of_the_contract() {
    let counts = [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3)];
    for (agencies, threshold) in counts {
        let epoch = Epoch::parse(&founded(everyone()[..agencies].to_vec()).body).unwrap();
        assert_eq!((threshold_for(&epoch), waivers_needed(&epoch)), (threshold, agencies - threshold + 1));
    }
}

#[test]
fn after_admitting_three_the_threshold_is_three() {
    let start = founded(vec![emb()]);
    let next = after(&start, vec![emb(), police(), cert(), court()], &[&emb()]);
    let roster = roster([start, next].map(RosterObject::Epoch));
    assert_eq!((number(&roster), roster.threshold()), (2, 3));
}

#[test]
fn the_first_epoch_is_signed_by_all_that_it_names() {
    let mut start = founded(vec![emb(), court()]);
    start.signatures.pop();
    assert_eq!(Roster::new().add(RosterObject::Epoch(start)), Err(RosterError::Signature));
    let mut stranger = founded(vec![emb(), court()]);
    stranger.sign(&id("court"), &key(77));
    assert_eq!(Roster::new().add(RosterObject::Epoch(stranger)), Err(RosterError::Signature));
}

#[test]
fn a_roster_is_of_one_operation() {
    let (ours, theirs) = (founded(vec![emb()]), founded(vec![court()]));
    let mut roster = Roster::new();
    assert_eq!(roster.add(RosterObject::Epoch(ours.clone())), Ok(true));
    assert_eq!(roster.add(RosterObject::Epoch(theirs)), Err(RosterError::ForeignOperation));
    let mut pinned = Roster::of(seal::OperationId([9; 32]));
    assert_eq!(pinned.add(RosterObject::Epoch(ours)), Err(RosterError::ForeignOperation));
}

#[test]
fn too_few_signatures_do_nothing_until_another_copy_brings_the_rest() {
    let start = founded(everyone());
    let all = after(&start, everyone()[..4].iter().cloned().chain([watch()]).collect(), &[&emb(), &court(), &cert()]);
    let mut one = all.clone();
    one.signatures.retain(|held| held.agency != id("emb"));
    let mut other = all.clone();
    other.signatures.retain(|held| held.agency == id("emb"));
    assert_eq!(reached([start.clone(), one.clone()]), 1);
    assert_eq!(reached([other.clone(), start.clone()]), 1);
    assert_eq!(reached([other, one, start]), 2);
}

#[test]
fn an_emb_and_a_court_must_sign() {
    let start = founded(everyone());
    let next = |signers: &[&AgencyRecord]| after(&start, everyone(), signers);
    assert_eq!(reached([start.clone(), next(&[&emb(), &police(), &cert(), &watch()])]), 1, "no court");
    assert_eq!(reached([start.clone(), next(&[&court(), &police(), &cert(), &watch()])]), 1, "no EMB");
    assert_eq!(reached([start.clone(), next(&[&court(), &emb()])]), 1, "too few");
    assert_eq!(reached([start.clone(), next(&[&court(), &emb(), &cert()])]), 2);
}

#[test]
fn the_last_of_a_kind_stays_even_if_all_sign() {
    let start = founded(everyone());
    for kind in [AgencyKind::Emb, AgencyKind::Court, AgencyKind::Oversight] {
        let rest = everyone().into_iter().filter(|agency| agency.kind != kind).collect();
        let signers = everyone();
        let next = after(&start, rest, &signers.iter().collect::<Vec<_>>());
        assert_eq!(reached([start.clone(), next]), 1, "{kind}");
    }
    let rest = everyone().into_iter().filter(|agency| agency.kind != AgencyKind::Police).collect();
    assert_eq!(reached([start.clone(), after(&start, rest, &[&emb(), &court(), &cert()])]), 2);
}

#[test]
fn the_last_emb_is_not_exchanged_for_a_sham_nor_renamed_to_another_kind() {
    let start = founded(everyone());
    let sham = agency("sham", AgencyKind::Emb, 9);
    let signers = [&court(), &watch(), &police(), &cert()];
    let swapped = after(&start, vec![sham, court(), police(), cert(), watch()], &signers);
    assert_eq!(reached([start.clone(), swapped]), 1);
    let mut demoted = emb();
    demoted.kind = AgencyKind::Other;
    let sham = agency("sham", AgencyKind::Emb, 9);
    let renamed = after(&start, vec![demoted, sham, court(), police(), cert(), watch()], &signers);
    assert_eq!(reached([start.clone(), renamed]), 1);
}

#[test]
fn oversight_replaces_only_a_party_that_is_removed() {
    let region = agency("region", AgencyKind::Emb, 6);
    let start = founded(vec![emb(), region.clone(), court(), watch(), police()]);
    let signers = [&court(), &watch(), &police()];
    let removal = after(&start, vec![emb(), court(), watch(), police()], &signers);
    assert_eq!(reached([start.clone(), removal]), 2);
    let admission = after(&start, vec![emb(), region.clone(), court(), watch(), police(), cert()], &signers);
    assert_eq!(reached([start.clone(), admission]), 1);
    // The court's signature is not replaced by this: no court is removed.
    let without_court = after(&start, vec![emb(), court(), watch(), police()], &[&watch(), &police(), &region]);
    assert_eq!(reached([start.clone(), without_court]), 1);
}

#[test]
fn a_lost_root_is_replaced_with_oversight() {
    let start = founded(everyone());
    let mut renewed = emb();
    renewed.root = Hash32(key(61).public());
    let agencies = vec![renewed, court(), police(), cert(), watch()];
    assert_eq!(reached([start.clone(), after(&start, agencies.clone(), &[&court(), &watch(), &cert()])]), 2);
    assert_eq!(reached([start.clone(), after(&start, agencies, &[&court(), &police(), &cert()])]), 1);
}

#[test]
fn one_hierarchy_is_one_voice() {
    let under = |mut agency: AgencyRecord, name: &str| {
        agency.hierarchy = Some(name.into());
        agency
    };
    let interior = [
        under(agency("emb", AgencyKind::Emb, 1), "Ministry of the Interior"),
        under(agency("police", AgencyKind::Police, 3), "ministry of the interior"),
        under(agency("cert", AgencyKind::Cert, 4), "Ministry of the Interior"),
    ];
    let start = founded(interior.iter().cloned().chain([court(), watch()]).collect());
    assert_eq!(threshold_for(&Epoch::parse(&start.body).unwrap()), 2);
    let agencies: Vec<AgencyRecord> = interior.iter().cloned().chain([court(), watch()]).collect();
    // Three signatures, one voice; with the court's, two voices.
    let alone = after(&start, agencies.clone(), &[&interior[0], &interior[1], &interior[2]]);
    assert_eq!(reached([start.clone(), alone]), 1);
    assert_eq!(reached([start.clone(), after(&start, agencies, &[&interior[0], &court()])]), 2);
}

#[test]
fn one_hierarchy_alone_admits_nobody_before_there_is_a_court() {
    let interior: Vec<AgencyRecord> = [emb(), police(), cert()]
        .into_iter()
        .map(|agency| AgencyRecord { hierarchy: Some("Interior".into()), ..agency })
        .collect();
    let agencies: Vec<AgencyRecord> = interior.iter().cloned().chain([watch()]).collect();
    let start = founded(agencies.clone());
    let with_court: Vec<AgencyRecord> = agencies.into_iter().chain([court()]).collect();
    let alone = after(&start, with_court.clone(), &interior.iter().collect::<Vec<_>>());
    assert_eq!(reached([start.clone(), alone]), 1, "three signatures, one voice of two");
    assert_eq!(reached([start.clone(), after(&start, with_court, &[&interior[0], &watch()])]), 2);
}

#[test]
fn signatures_are_over_this_body_by_roots_of_the_epoch_before() {
    let start = founded(vec![emb(), court()]);
    let mut next = after(&start, vec![emb(), court(), police()], &[&emb(), &court()]);
    let other = after(&start, vec![emb(), court(), cert()], &[&emb(), &court()]);
    next.signatures = other.signatures;
    assert_eq!(Roster::new().add(RosterObject::Epoch(next.clone())), Ok(true), "cannot be checked yet");
    assert_eq!(reached([next.clone(), start.clone()]), 1);
    assert_eq!(
        roster([RosterObject::Epoch(start.clone())]).add(RosterObject::Epoch(next)),
        Err(RosterError::Signature)
    );
    // The newcomer's own voice does not count for its admission.
    let newcomer = after(&start, vec![emb(), court(), police()], &[&emb(), &police()]);
    assert_eq!(reached([start.clone(), newcomer]), 1);
    // An acceptance is no signature.
    let mut accepted = after(&start, vec![emb(), court(), police()], &[&emb()]);
    accepted.signatures.push(accept(&accepted.body, &id("court"), &key(2)));
    accepted.signatures.sort();
    assert_eq!(reached([start, accepted]), 1);
}

#[test]
fn wrong_signatures_first_do_not_keep_the_right_ones_out() {
    let start = founded(vec![emb(), court()]);
    let good = after(&start, vec![emb(), court(), police()], &[&emb(), &court()]);
    let mut bad = good.clone();
    bad.sign(&id("court"), &key(77));
    assert_eq!(reached([start.clone(), bad.clone(), good.clone()]), 2);
    assert_eq!(reached([bad.clone(), good.clone(), start.clone()]), 2);
    assert_eq!(reached([bad, start, good]), 2);
}

#[test]
fn epochs_follow_by_number_hash_name_and_nature() {
    let start = founded(vec![emb()]);
    let change = |change: &dyn Fn(&mut Epoch)| {
        let mut epoch = Epoch::parse(&after(&start, vec![emb()], &[]).body).unwrap();
        change(&mut epoch);
        let mut signed = SignedEpoch::propose(&epoch);
        signed.sign(&id("emb"), &key(1));
        signed
    };
    assert_eq!(reached([start.clone(), change(&|_| {})]), 2);
    assert_eq!(reached([start.clone(), change(&|epoch| epoch.number = 3)]), 1);
    assert_eq!(reached([start.clone(), change(&|epoch| epoch.prev = Some(seal::EpochId([7; 32])))]), 1);
    assert_eq!(reached([start.clone(), change(&|epoch| epoch.operation_name = "Another".into())]), 1);
    assert_eq!(reached([start.clone(), change(&|epoch| epoch.exercise = false)]), 1);
}

#[test]
fn a_malformed_epoch_is_refused() {
    let start = Epoch::parse(&founded(vec![emb(), court()]).body).unwrap();
    let refused = |change: &dyn Fn(&mut Epoch)| {
        let mut epoch = start.clone();
        change(&mut epoch);
        assert!(Epoch::parse(&epoch.body()).is_err(), "{}", epoch.body());
    };
    refused(&|epoch| epoch.v = 2);
    refused(&|epoch| epoch.number = 0);
    refused(&|epoch| epoch.prev = Some(seal::EpochId([0; 32])));
    refused(&|epoch| epoch.nonce = "0".repeat(31));
    refused(&|epoch| epoch.operation_name = " ".into());
    refused(&|epoch| epoch.agencies.reverse());
    refused(&|epoch| epoch.agencies.clear());
    refused(&|epoch| epoch.agencies[1].root = epoch.agencies[0].root);
    refused(&|epoch| epoch.agencies[0].admins.clear());
    refused(&|epoch| epoch.agencies[0].admins = vec![device(1), device(1)]);
    refused(&|epoch| epoch.agencies[0].hierarchy = Some(" Interior".into()));
    refused(&|epoch| epoch.agencies[0].name = "x".repeat(201));
    refused(&|epoch| epoch.rules = Some("\"".repeat(100 * 1024)));
    refused(&|epoch| {
        epoch.agencies = (0..65).map(|n| agency(&format!("a{n:02}"), AgencyKind::Other, n)).collect();
    });
    let spaced = start.body().replace("\"v\":1", "\"v\": 1");
    assert_eq!(Epoch::parse(&spaced), Err(RosterError::NotCanonical));
}

#[test]
fn two_complete_successors_are_two_histories_and_proof() {
    let start = founded(vec![emb(), court(), watch()]);
    let one = after(&start, vec![emb(), court(), watch(), police()], &[&emb(), &court()]);
    let other = after(&start, vec![emb(), court(), watch(), cert()], &[&emb(), &court(), &watch()]);
    let roster = roster([start.clone(), one.clone(), other.clone()].map(RosterObject::Epoch));
    assert_eq!(number(&roster), 1);
    assert!(roster.epoch_fork().is_some());
    let proofs = roster.equivocations();
    assert_eq!(proofs.iter().map(|proof| proof.agency.as_str()).collect::<Vec<_>>(), ["court", "emb"]);
    let prev = Epoch::parse(&start.body).unwrap();
    for proof in proofs {
        let read = Equivocation::decode(&proof.encode()).expect("a proof carries itself");
        assert!(read.accuses(&prev));
        assert_eq!(read, proof);
        let mut swapped = proof.clone();
        std::mem::swap(&mut swapped.first, &mut swapped.second);
        std::mem::swap(&mut swapped.first_signature, &mut swapped.second_signature);
        assert!(swapped.verify().is_err(), "one order");
        let mut framed = proof.clone();
        framed.second_signature.clone_from(&framed.first_signature);
        assert_eq!(framed.verify(), Err(RosterError::Signature));
        let mut same = proof;
        same.second.clone_from(&same.first);
        same.second_signature.clone_from(&same.first_signature);
        assert!(same.verify().is_err(), "one body is no equivocation");
    }
}

#[test]
fn signing_what_follows_two_histories_is_no_equivocation_of_its_own() {
    let start = founded(vec![emb()]);
    let one = after(&start, vec![emb(), court()], &[&emb()]);
    let other = after(&start, vec![emb(), police()], &[&emb()]);
    let on_one = after(&one, vec![emb(), court(), cert()], &[&emb()]);
    let on_other = after(&other, vec![emb(), police(), cert()], &[&emb()]);
    let proof = |one: &SignedEpoch, other: &SignedEpoch| {
        let signed = |epoch: &SignedEpoch| (epoch.body.clone(), epoch.signatures[0].signature.clone());
        let (one, other) = (signed(one), signed(other));
        Equivocation::new(id("emb"), emb().root, (&one.0, &one.1), (&other.0, &other.1))
    };
    assert!(proof(&one, &other).is_ok());
    assert!(proof(&on_one, &on_other).is_err(), "another predecessor");
    assert!(proof(&one, &on_one).is_err(), "another number");
    let second_founding = founded(vec![emb(), watch()]);
    assert!(proof(&start, &second_founding).is_err(), "anyone may found two operations");
}

#[test]
fn a_second_proposal_may_be_signed_once_the_first_is_waived() {
    // n = 4, k = 3: two waivers make the first impossible.
    let all = vec![emb(), court(), police(), watch()];
    let start = founded(all.clone());
    let mut first = after(&start, all.iter().cloned().chain([cert()]).collect(), &[&emb()]);
    let second = after(&start, all.clone(), &[&emb(), &court(), &police()]);
    let held = |first: &SignedEpoch| roster([&start, first, &second].map(|epoch| RosterObject::Epoch(epoch.clone())));
    let before = roster([&start, &first].map(|epoch| RosterObject::Epoch(epoch.clone())));
    assert_eq!(before.signed_rival(&id("emb"), &second), Some(first.id()));
    assert_eq!(before.signed_rival(&id("court"), &second), None);
    assert_eq!(held(&first).equivocations().len(), 1);

    first.add_waiver(waive(&first.body, &id("court"), &key(2)));
    assert!(!held(&first).waived(&first.id()), "one of two");
    let mut forged = first.clone();
    forged.add_waiver(waive(&first.body, &id("police"), &key(77)));
    assert!(!held(&forged).waived(&first.id()), "a stranger's waiver");
    let mut borrowed = first.clone();
    borrowed.add_waiver(waive(&second.body, &id("police"), &key(3)));
    assert!(!held(&borrowed).waived(&first.id()), "of another proposal");

    first.add_waiver(waive(&first.body, &id("police"), &key(3)));
    let roster = held(&first);
    assert!(roster.waived(&first.id()));
    assert!(roster.equivocations().is_empty());
    assert_eq!(roster.signed_rival(&id("emb"), &second), None);
    assert_eq!(number(&roster), 2);
}

#[test]
fn a_hierarchy_waives_with_all_its_institutions() {
    let mut sibling = police();
    sibling.hierarchy = Some("court".into());
    let all = vec![emb(), court(), sibling, watch()];
    let start = founded(all.clone());
    // n = 3, k = 2, so two must waive.
    let mut proposal = after(&start, all.iter().cloned().chain([cert()]).collect(), &[&emb()]);
    proposal.add_waiver(waive(&proposal.body, &id("watch"), &key(5)));
    proposal.add_waiver(waive(&proposal.body, &id("court"), &key(2)));
    let mut roster = roster([&start, &proposal].map(|epoch| RosterObject::Epoch(epoch.clone())));
    assert!(!roster.waived(&proposal.id()));
    proposal.add_waiver(waive(&proposal.body, &id("police"), &key(3)));
    assert_eq!(roster.add(RosterObject::Epoch(proposal.clone())), Ok(true));
    assert!(roster.waived(&proposal.id()));
}

#[test]
fn a_late_waiver_takes_no_epoch_back() {
    let start = founded(vec![emb(), court()]);
    let mut next = after(&start, vec![emb(), court(), police()], &[&emb(), &court()]);
    next.add_waiver(waive(&next.body, &id("emb"), &key(1)));
    next.add_waiver(waive(&next.body, &id("court"), &key(2)));
    assert_eq!(reached([start, next]), 2);
}

#[test]
fn an_agency_is_bound_by_its_own_acceptance_only() {
    let start = founded(vec![emb()]);
    let mut next = after(&start, vec![emb(), court()], &[&emb()]);
    next.add_acceptance(accept(&next.body.clone(), &id("court"), &key(77)));
    let mut roster = roster([start, next.clone()].map(RosterObject::Epoch));
    assert!(!roster.agency(&id("court")).unwrap().accepted);
    assert!(roster.agency(&id("emb")).unwrap().accepted, "since the founding");
    next.add_acceptance(accept(&next.body.clone(), &id("court"), &key(2)));
    assert_eq!(roster.add(RosterObject::Epoch(next)), Ok(true));
    assert!(roster.agency(&id("court")).unwrap().accepted);
}

#[test]
fn an_operation_names_only_so_many_agencies_over_time() {
    // Each epoch replaces 50 others: the view of all chains must stay within its bound.
    let mut objects = vec![founded(vec![emb()])];
    for round in 0..8u32 {
        let others = (0..50).map(|n| AgencyRecord {
            root: Hash32(
                SigningKey::from_seed(&[n as u8 + 1, round as u8, 9, 9].repeat(8).try_into().unwrap()).public(),
            ),
            ..agency(&format!("r{round}-{n}"), AgencyKind::Other, 150)
        });
        let agencies: Vec<AgencyRecord> = others.chain([emb()]).collect();
        let mut next = Epoch::parse(&objects.last().unwrap().body).unwrap();
        next.number += 1;
        next.prev = Some(objects.last().unwrap().id());
        let prev = std::mem::replace(&mut next.agencies, agencies);
        next.agencies.sort_by(|a, b| a.id.cmp(&b.id));
        let mut signed = SignedEpoch::propose(&next);
        signed.sign(&id("emb"), &key(1));
        for agency in prev.iter().filter(|agency| agency.id != id("emb")) {
            let (round, n) = agency.id.as_str()[1..].split_once('-').unwrap();
            let seed = [n.parse::<u8>().unwrap() + 1, round.parse().unwrap(), 9, 9].repeat(8);
            signed.sign(&agency.id, &SigningKey::from_seed(&seed.try_into().unwrap()));
        }
        objects.push(signed);
    }
    let roster = roster(objects.into_iter().map(RosterObject::Epoch));
    assert_eq!(number(&roster), 6, "1 + 5 × 50 agencies fit 256, a sixth 50 do not");
}
