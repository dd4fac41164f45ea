//! What the window has from the system: notices without content, the place where it stood, a list of
//! stations out of a file.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use fantoccini::key::Key;
use intact_tests::Device;
use intact_tests::driven::{Window, open, test_id};
use serde_json::json;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use zbus::zvariant::OwnedValue;

fn key(key: Key) -> String {
    String::from(char::from(key))
}

/// The session's service for notices: it tells what it is to show.
struct Notices(UnboundedSender<(String, String)>);

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Notices {
    #[allow(clippy::too_many_arguments, reason = "the interface of the Desktop Notifications Specification")]
    fn notify(
        &self,
        _app_name: String,
        _replaces_id: u32,
        _app_icon: String,
        summary: String,
        body: String,
        _actions: Vec<String>,
        _hints: HashMap<String, OwnedValue>,
        _expire_timeout: i32,
    ) -> u32 {
        let _ = self.0.send((summary, body));
        1
    }
    fn get_capabilities(&self) -> Vec<String> {
        vec!["body".into()]
    }
    fn get_server_information(&self) -> (String, String, String, String) {
        ("tests".into(), "tests".into(), "1".into(), "1.2".into())
    }
}

/// Takes the place of the session's service for notices.
fn notices() -> (zbus::blocking::Connection, UnboundedReceiver<(String, String)>) {
    let (tell, told) = unbounded_channel();
    let service = zbus::blocking::connection::Builder::session()
        .and_then(|builder| builder.name("org.freedesktop.Notifications"))
        .and_then(|builder| builder.serve_at("/org/freedesktop/Notifications", Notices(tell)))
        .and_then(zbus::blocking::connection::Builder::build)
        .expect("a session bus without another service for notices: run it through make test");
    (service, told)
}

/// The next notice, with its title.
async fn next(told: &mut UnboundedReceiver<(String, String)>) -> (String, String) {
    let notice = tokio::time::timeout(Duration::from_secs(60), told.recv()).await;
    notice.expect("a notice comes").expect("the service stays")
}

/// Runs a command of the palette by its name.
async fn command(window: &Window, name: &str) {
    window.press(&format!("{}k{}", char::from(Key::Control), char::from(Key::Null))).await;
    window.wait_for("dialog[open]").await;
    window.press(name).await;
    window.press(&key(Key::Enter)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_says_that_something_came_and_never_what() {
    let root = tempfile::tempdir().expect("a folder for tests");
    let emb = Device::new(root.path(), "emb");
    emb.found(root.path());
    let (_service, mut told) = tokio::task::spawn_blocking(notices).await.expect("the service starts");

    let window = open(&emb, true).await;
    window.wait_for(&test_id("search")).await;
    command(&window, "notices").await;
    window.says(&test_id("status"), "never what").await;
    let (summary, body) = next(&mut told).await;
    assert_eq!(summary, "Intact");
    assert!(body.contains("never what"), "{body}");

    // Somebody looks elsewhere, and something Critical is logged.
    window.client.execute("document.hasFocus = () => false", vec![]).await.expect("the window answers");
    let critical =
        json!({ "category": "ops:box-tampering", "summary": "Ballot box destroyed with acid", "severity": 4 });
    let log = "const done = arguments[1]; window.__TAURI_INTERNALS__.invoke('incident_log', { input: arguments[0] })\
        .then(() => done(true), (error) => done(JSON.stringify(error)))";
    let logged = window.client.execute_async(log, vec![critical]).await.expect("the window answers");
    assert_eq!(logged, json!(true));
    let (summary, body) = next(&mut told).await;
    assert_eq!((summary.as_str(), body.as_str()), ("Intact", "Something critical has arrived."));
    window.closed(&emb).await;
}

/// How large the window is.
async fn size(window: &Window) -> (u64, u64) {
    let (_, _, width, height) = window.client.get_window_rect().await.expect("the window has a place");
    (width, height)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_window_comes_back_where_it_stood_and_brings_in_stations() {
    let root = tempfile::tempdir().expect("a folder for tests");
    let emb = Device::new(root.path(), "emb");
    emb.found(root.path());
    let list = root.path().join("stations.csv");
    std::fs::write(&list, "code,name,area\n0421,12 rue Chevreul,Lyon 7e\n,nameless,\n0733,gymnase,Metz\n")
        .expect("the test folder is writable");

    let window = open(&emb, true).await;
    window.wait_for(&test_id("search")).await;
    bring_in(&window, &list).await;
    window.client.set_window_size(1200, 720).await.expect("the window takes a size");
    assert_eq!(size(&window).await, (1200, 720));
    // Long enough there to be remembered.
    window.press("gq").await;
    window.wait_for("section.screen").await;
    window.until("window.__TAURI_INTERNALS__.invoke('settings_get', { name: 'place' }).then((kept) => !!kept?.includes('silent'))").await;
    place_kept(&emb).await;
    window.closed(&emb).await;

    let again = open(&emb, true).await;
    again.wait_for("section.screen").await;
    assert_eq!(size(&again).await, (1200, 720));
    again.closed(&emb).await;
}

/// Waits until the place of the window is on the disk.
async fn place_kept(device: &Device) {
    let file = device.dir.with_extension("config").join("org.intact.desk/.window-state.json");
    let wait = async {
        let mut look = tokio::time::interval(Duration::from_millis(50));
        while !std::fs::read_to_string(&file).is_ok_and(|text| text.contains("1200")) {
            look.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), wait).await.expect("the place is kept");
}

/// By keyboard: the silent stations, `i`, the file.
async fn bring_in(window: &Window, list: &Path) {
    window.press("gq").await;
    window.wait_for(&test_id("silent-none")).await;
    window.press("i").await;
    window.wait_for(&test_id("stations-path")).await;
    window.both("stations").await;
    window.tab_to("stations-path").await;
    window.press(list.to_str().expect("a plain path")).await;
    window.press(&key(Key::Enter)).await;
    let done = window.text_of(&test_id("stations-done")).await;
    assert!(done.contains("2 new"), "{done}");
    let refused = window.text_of("dialog .rows").await;
    assert!(refused.contains("Row 2"), "{refused}");
    window.both("stations-done").await;
    window.press(&key(Key::Escape)).await;
    window.press("gb").await;
    window.wait_for(&test_id("search")).await;
}
