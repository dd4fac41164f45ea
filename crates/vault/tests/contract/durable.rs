//! What was acknowledged stays; what does not hold is refused.

use seal::Passphrase;
use vault::{Vault, VaultError};

use crate::world::{World, pass, random, write};

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_drop_without_closing() {
    let world = World::new();
    let (dir, vault) = world.vault("emb").await;
    let made = write(&vault, world.incident("emb", 1, "Box without seal", &["emb"])).await;
    write(&vault, world.note("emb", made.record, "Seal replaced")).await;
    vault.put_secret("s", b"one").await.unwrap();
    vault.put_setting("t", "two").await.unwrap();
    vault.put_cursor("c", 3).await.unwrap();
    let store = vault.store_id();
    drop(vault);
    let vault = world.reopen(&dir, "emb").await;
    let record = vault.record(&made.record).await.unwrap().unwrap();
    assert_eq!(record.entries().len(), 2);
    assert_eq!(record.state().notes[0].text, "Seal replaced");
    assert_eq!(vault.secret("s").await.unwrap().unwrap().as_slice(), b"one");
    assert_eq!(vault.setting("t").await.unwrap().as_deref(), Some("two"));
    assert_eq!(vault.cursor("c").await.unwrap(), 3);
    assert_eq!(vault.store_id(), store);
    let next = write(&vault, world.note("emb", made.record, "After the power came back")).await;
    assert_eq!(next.number, 3);
    assert!(vault.check(false, &|_, _| {}).await.unwrap().problems.is_empty());
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_the_vault_whole() {
    let world = World::new();
    let (_dir, vault) = world.vault("emb").await;
    let made = write(&vault, world.incident("emb", 1, "Box without seal", &["emb"])).await;
    for n in 0..40u32 {
        let draft = world.note("emb", made.record, &format!("note {n}"));
        let append = vault.append(vec![draft]);
        // Polled a few times, then dropped: as when a window closes or a connection is cut.
        let mut append = Box::pin(append);
        for _ in 0..n % 5 {
            let waker = futures_util::task::noop_waker();
            let _ = append.as_mut().poll(&mut std::task::Context::from_waker(&waker));
            tokio::task::yield_now().await;
        }
    }
    let last = write(&vault, world.note("emb", made.record, "last")).await;
    let record = vault.record(&made.record).await.unwrap().unwrap();
    assert_eq!(record.entries().len() as u64, last.number, "each is there whole, or not at all");
    assert!(vault.check(false, &|_, _| {}).await.unwrap().problems.is_empty());
}

#[tokio::test]
async fn calls_at_the_same_time_are_all_kept_in_one_chain() {
    let world = World::new();
    let (_dir, vault) = world.vault("emb").await;
    let calls = (0..50u32).map(|n| {
        let (vault, draft) = (vault.clone(), world.incident("emb", n, &format!("incident {n}"), &["emb"]));
        tokio::spawn(async move { write(&vault, draft).await.number })
    });
    let mut numbers = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        numbers.push(call.await.unwrap());
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=50).collect::<Vec<u64>>());
    assert!(vault.check(false, &|_, _| {}).await.unwrap().problems.is_empty());
}

#[tokio::test]
async fn a_denied_draft_leaves_nothing_of_its_batch() {
    let world = World::new();
    let (_dir, vault) = world.vault("emb-2").await;
    let mine = world.incident("emb-2", 1, "Seen from the street", &["emb"]);
    let record = mine.record;
    let refer = world.refer("emb-2", record, &crate::world::key_of("emb-2", 1), "police");
    let refused = vault.append(vec![mine, refer]).await;
    assert!(matches!(refused, Err(VaultError::Denied(_))), "the field refers nothing: {refused:?}");
    assert!(vault.record(&record).await.unwrap().is_none());
    assert_eq!(vault.stats().await.unwrap().links, 0);
    let made = write(&vault, world.incident("emb-2", 1, "Seen from the street", &["emb"])).await;
    assert_eq!(made.number, 1);
}

#[tokio::test]
async fn refusals_of_opening() {
    let world = World::new();
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(Vault::open(dir.path(), &pass()).await.err(), Some(VaultError::NotAVault));
    let vault = world.vault_in(&dir.path().join("v"), "emb").await;
    let at = dir.path().join("v");
    assert_eq!(Vault::open(&at, &pass()).await.err(), Some(VaultError::InUse));
    vault.close().await;
    let cost = seal::KdfCost::DRILL;
    let again = Vault::create(&at, &pass(), cost, &mut random(9)).await;
    assert_eq!(again.err(), Some(VaultError::AlreadyExists));
    let wrong = Vault::open(&at, &Passphrase::new("quiet river, seven lamp".into())).await;
    assert_eq!(wrong.err(), Some(VaultError::WrongPassphrase));
    Vault::open(&at, &pass()).await.unwrap();
}

#[tokio::test]
async fn one_process_at_a_time() {
    // The child tries to open the vault that its parent holds.
    if let Ok(dir) = std::env::var("INTACT_TEST_LOCKED_VAULT") {
        assert_eq!(Vault::open(dir.as_ref(), &pass()).await.err(), Some(VaultError::InUse));
        return;
    }
    let world = World::new();
    let (dir, vault) = world.vault("emb").await;
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "durable::one_process_at_a_time"])
        .env("INTACT_TEST_LOCKED_VAULT", dir.path().join("v"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && said.contains("1 passed"), "{said}");
    drop(vault);
}

#[tokio::test]
async fn a_flipped_byte_is_an_error_never_a_panic() {
    let world = World::new();
    let (dir, vault) = world.vault("emb").await;
    for n in 0..20 {
        write(&vault, world.incident("emb", n, "Box without seal", &["emb"])).await;
    }
    vault.close().await;
    let at = dir.path().join("v");
    for file in ["vault.db", "vault.key"] {
        let good = std::fs::read(at.join(file)).unwrap();
        let step = (good.len() / 24).max(1);
        for at_byte in (0..good.len()).step_by(step) {
            let mut bad = good.clone();
            bad[at_byte] ^= 0x10;
            std::fs::write(at.join(file), &bad).unwrap();
            let outcome = opened_and_checked(&at).await;
            assert!(outcome, "{file}: byte {at_byte} of {} was altered unnoticed", good.len());
        }
        std::fs::write(at.join(file), &good).unwrap();
    }
    Vault::open(&at, &pass()).await.unwrap();
}

/// Whether opening refuses or the check finds something.
async fn opened_and_checked(at: &std::path::Path) -> bool {
    let vault = match Vault::open(at, &pass()).await {
        Ok(vault) => vault,
        Err(error) => {
            let known = matches!(error, VaultError::Corrupt(_) | VaultError::WrongPassphrase | VaultError::NewerSchema);
            assert!(known, "{error:?}");
            return true;
        }
    };
    let found = match vault.check(false, &|_, _| {}).await {
        Ok(check) => !check.problems.is_empty(),
        Err(error) => matches!(error, VaultError::Corrupt(_)),
    };
    vault.close().await;
    found
}

#[tokio::test]
async fn nothing_in_the_folder_can_be_read() {
    let world = World::new();
    let (dir, vault) = world.vault("emb").await;
    let made = write(&vault, world.incident("emb", 1, "Zebracrossing", &["emb"])).await;
    write(&vault, world.note("emb", made.record, "Zebracrossing again")).await;
    vault.put_secret("s", b"Zebracrossing").await.unwrap();
    vault.put_blob(std::io::Cursor::new(b"Zebracrossing".repeat(1000))).await.unwrap();
    // Before and after the write-ahead log is folded in.
    no_plaintext(&dir.path().join("v"));
    vault.close().await;
    no_plaintext(&dir.path().join("v"));
}

fn no_plaintext(at: &std::path::Path) {
    let needles: [&[u8]; 4] = [b"Zebra", b"EMB-0001", b"SQLite format", b"quiet river"];
    let mut seen = 0;
    for folder in [at.to_owned(), at.join("blobs")] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            seen += 1;
            for needle in needles {
                assert!(!bytes.windows(needle.len()).any(|part| part == needle), "{} can be read", path.display());
            }
        }
    }
    assert!(seen >= 4, "the folder was looked at");
}
