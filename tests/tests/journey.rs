//! A ballot box is destroyed where there is no signal: written down by keyboard with a photo, carried on
//! a stick that the operations centre opens by double-click, taken by the police over a relay, and judged
//! in court from a sealed dossier. Real windows throughout.

use std::path::Path;
use std::process::{Command, Stdio};

use fantoccini::key::Key;
use intact_tests::driven::{Timings, Window, open, open_with, relay, test_id};
use intact_tests::{Device, Practice, binaries};

fn key(key: Key) -> String {
    String::from(char::from(key))
}

/// A second start of the program on the same vault, with a file: what a double-click does.
async fn double_click(device: &Device, file: &Path) {
    let mut again = Command::new(binaries().join("intact-window"));
    again.arg("--vault").arg(&device.dir).arg(file).stdout(Stdio::null()).stderr(Stdio::null());
    let ended = tokio::task::spawn_blocking(move || again.status()).await.expect("it is waited for");
    assert!(ended.expect("the window starts").success(), "the second start hands the file over and ends");
}

/// Pastes a photo into the form, as Ctrl V does.
async fn paste_photo(window: &Window) {
    let paste = "const bytes = Uint8Array.from({ length: 300000 }, (_, at) => (at * 31) % 251); \
        const data = new DataTransfer(); data.items.add(new File([bytes], 'doorway.jpg', { type: 'image/jpeg' })); \
        document.activeElement.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true }))";
    window.client.execute(paste, vec![]).await.expect("the window answers");
    window.wait_for("figure figcaption").await;
}

/// The field laptop writes the incident down, and a parcel for its own institution. Its reference.
async fn log(window: &Window, times: &mut Timings, parcel: &str) -> String {
    window.wait_for(&test_id("search")).await;
    let form = times.step("log: the key to the open form", async {
        window.press("gl").await;
        window.wait_for(&test_id("field-station")).await;
    });
    form.await;
    let tab = key(Key::Tab);
    window.press("0421").await;
    window.press(&tab).await;
    window.press(&tab).await;
    window.press("Second ballot box burnt in the yard").await;
    window.press(&tab).await;
    window.press("tampering").await;
    window.wait_for("[role='listbox']:not([hidden]) li").await;
    window.press(&tab).await;
    window.press(" ").await;
    for _ in 0..3 {
        window.press(&key(Key::Right)).await;
    }
    times.step("a photo pasted to its hash", paste_photo(window)).await;
    window.both("journey-log").await;
    let signed = times.step("Ctrl Enter to signed and kept, with a photo", async {
        window.press(&format!("{}{}", char::from(Key::Control), char::from(Key::Enter))).await;
        window.text_of(&test_id("signed")).await
    });
    let signed = signed.await;
    let reference = signed.rsplit('·').next().expect("the reference").trim().to_owned();
    assert!(reference.contains("0421"), "{signed}");
    window.press(&key(Key::Escape)).await;
    window.wait_for(&test_id("search")).await;
    window.press("ge").await;
    window.wait_for(&test_id("parcel-out")).await;
    window.tab_to("parcel-out").await;
    window.press(parcel).await;
    window.tab_to("parcel-write").await;
    let written = times.step("parcel: Enter to written", async {
        window.press(&key(Key::Enter)).await;
        window.says(&test_id("said"), "written").await;
    });
    written.await;
    reference
}

/// Connects, and goes back to the board.
async fn connect(window: &Window, url: &str) {
    window.reach(url, true).await;
    window.press(&key(Key::Escape)).await;
    window.wait_for("[data-testid^='row-']").await;
}

/// The operations centre refers it to the police, who accept it with one key.
async fn refer(joc: &Window, police: &Window, times: &mut Timings, reference: &str) {
    let row = test_id(&format!("row-{reference}"));
    joc.wait_for(&row).await.click().await.expect("the row can be chosen");
    joc.press("r").await;
    joc.wait_for(&test_id("refer-offer")).await;
    let number = joc.text_of("label:has(input[value='police']) kbd").await;
    joc.press(&number).await;
    let offered = times.step("referral: Enter to the police's board", async {
        joc.press(&key(Key::Enter)).await;
        police.wait_for(&row).await;
    });
    offered.await;
    police.wait_for(&row).await.click().await.expect("the row can be chosen");
    // The incident may be there a moment before what is asked about it.
    police.wait_for("[data-testid^='referral-']").await;
    let accepted = times.step("y to accepted, on the asker's board", async {
        police.press("y").await;
        joc.says("[data-testid^='referral-']", "ccepted").await;
    });
    accepted.await;
    joc.both("journey-accepted").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_a_station_without_signal_to_the_court() {
    let practice = Practice::found();
    let [field, emb, police, court] = ["field", "emb", "police", "court"].map(|name| practice.device(name));
    let mut times = Timings::of("to the court");

    let laptop = open(&field, true).await;
    let parcel = practice.at("night.parcel");
    let reference = log(&laptop, &mut times, &parcel).await;
    laptop.closed(&field).await;

    // The stick comes in: a double-click, and its entries stand on the board.
    let joc = open(&emb, true).await;
    joc.wait_for(&test_id("search")).await;
    let read = times.step("double-click on the parcel to what came", async {
        double_click(&emb, Path::new(&parcel)).await;
        joc.says(&test_id("said"), "0 refused").await;
    });
    read.await;
    joc.both("journey-parcel").await;

    let (_relay, url) = relay(practice.root.path());
    connect(&joc, &url).await;
    let chief = open(&police, true).await;
    chief.wait_for(&test_id("search")).await;
    connect(&chief, &url).await;
    refer(&joc, &chief, &mut times, &reference).await;
    chief.closed(&police).await;
    joc.closed(&emb).await;

    // The dossier is sealed to the court, which opens it by double-click and sees the verdict first.
    let (sealed, opened) = (practice.at("case.dossier"), practice.at("case"));
    emb.must(&["dossier", "export", &reference, "--out", &sealed, "--for", "court", "--seal"]);
    let bench = open_with(&court, true, Some(Path::new(&sealed))).await;
    bench.wait_for(&test_id("dossier-out")).await;
    bench.both("journey-sealed").await;
    bench.tab_to("dossier-open").await;
    let judged = times.step("a sealed dossier opened to its verdict", async {
        bench.press(&key(Key::Enter)).await;
        bench.says(&test_id("verdict"), "Intact").await;
    });
    judged.await;
    assert_eq!(bench.text_of(&test_id("verdict")).await, "Intact");
    bench.both("journey-verdict").await;
    bench.press(&key(Key::Escape)).await;

    // One byte of the photo is another: the same court, another double-click, and the file is named.
    let photo = originals(Path::new(&opened)).pop().expect("the photo is in the dossier");
    let mut bytes = std::fs::read(&photo).expect("it can be read");
    bytes[1000] ^= 1;
    std::fs::write(&photo, bytes).expect("it can be written");
    double_click(&court, Path::new(&opened)).await;
    bench.says(&test_id("verdict"), "Not intact").await;
    let why = bench.text_of("dialog .lines").await;
    assert!(why.contains(photo.file_name().and_then(|name| name.to_str()).expect("a name")), "{why}");
    bench.both("journey-not-intact").await;
    bench.closed(&court).await;
    for device in [&field, &emb, &police, &court] {
        device.sound();
    }
}

/// The exhibits' originals in a dossier.
fn originals(dossier: &Path) -> Vec<std::path::PathBuf> {
    let exhibits = std::fs::read_dir(dossier.join("data/evidence")).expect("a dossier with exhibits");
    let files = exhibits.flat_map(|one| std::fs::read_dir(one.expect("a folder").path()).expect("its files"));
    let paths = files.map(|file| file.expect("a file").path());
    paths.filter(|path| path.file_stem().is_some_and(|stem| stem == "original")).collect()
}
