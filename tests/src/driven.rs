//! The real window under automation: opened on a vault, typed into as a keyboard does, pictured.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::key::Key;
use fantoccini::wd::TimeoutConfiguration;
use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::json;

use crate::{Device, binaries};

/// Ends a child process when the test ends, however it ends.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port that nobody listens on.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("it has an address").port()
}

/// Whether somebody comes to listen on a port.
fn listens(port: u16) -> bool {
    (0..600).any(|_| {
        std::thread::park_timeout(Duration::from_millis(50));
        std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
    })
}

/// A relay over an embedded store in this folder; gives its address.
pub fn relay(root: &Path) -> (Running, String) {
    let port = free_port();
    let store = root.join("relay.db");
    let relay = Command::new(binaries().join("intact"))
        .args(["relay", "--listen", &format!("127.0.0.1:{port}"), "--store", &format!("sqlite:{}", store.display())])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the relay starts");
    let relay = Running(relay);
    assert!(listens(port), "the relay listens");
    (relay, format!("ws://127.0.0.1:{port}"))
}

/// A window under automation.
pub struct Window {
    /// What drives it.
    pub client: Client,
    _driver: Running,
}

/// Opens a window on a vault through WebKit's own driver.
pub async fn open(device: &Device, unlocked: bool) -> Window {
    open_with(device, unlocked, None).await
}

/// The same, with a file that was double-clicked.
pub async fn open_with(device: &Device, unlocked: bool, file: Option<&Path>) -> Window {
    assert!(std::env::var_os("DISPLAY").is_some(), "this test needs a display: run it through make test");
    let port = free_port();
    let driver = Command::new("WebKitWebDriver")
        .arg(format!("--port={port}"))
        // What the window remembers beside its vault, its language for one, is this device's own.
        .env("XDG_DATA_HOME", device.dir.with_extension("data"))
        .env("XDG_CACHE_HOME", device.dir.with_extension("cache"))
        .env("XDG_CONFIG_HOME", device.dir.with_extension("config"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("webkit2gtk-driver is installed");
    let driver = Running(driver);
    assert!(listens(port), "the driver listens");
    let mut args = vec!["--vault".to_owned(), device.dir.display().to_string()];
    if unlocked {
        args.extend(["--passphrase-file".to_owned(), device.passphrase.display().to_string()]);
    }
    args.extend(file.map(|file| file.display().to_string()));
    let binary = binaries().join("intact-window");
    assert!(binary.exists(), "build the window first: make window");
    let capabilities = json!({ "webkitgtk:browserOptions": { "binary": binary, "args": args } });
    let connector = hyper_util::client::legacy::connect::HttpConnector::new();
    let client = ClientBuilder::new(connector)
        .capabilities(capabilities.as_object().expect("an object").clone())
        .connect(&format!("http://127.0.0.1:{port}"))
        .await
        .expect("the window opens under automation");
    // A script that waits for something waits as long as everything else here.
    let patience = TimeoutConfiguration::new(Some(Duration::from_secs(150)), None, None);
    client.update_timeouts(patience).await.expect("the driver takes it");
    Window { client, _driver: driver }
}

/// The selector of what is marked so for tests.
pub fn test_id(id: &str) -> String {
    format!("[data-testid='{id}']")
}

impl Window {
    /// Waits until something stands there; two minutes, for a machine that has much else to do.
    pub async fn wait_for(&self, selector: &str) -> fantoccini::elements::Element {
        let wait = self.client.wait().at_most(Duration::from_secs(120));
        match wait.for_element(Locator::Css(selector)).await {
            Ok(found) => found,
            Err(error) => panic!("{selector}: {error}\n{}", self.told().await),
        }
    }
    /// What a person at it would see, for whoever reads why a test failed.
    async fn told(&self) -> String {
        let script = "const at = document.activeElement; \
            const fields = [...document.querySelectorAll('input:not([type=password])')].map((one) => `${one.dataset.testid}: ${one.value}`); \
            return [document.body.innerText, 'the focus: ' + at?.outerHTML.slice(0, 300), ...fields].join('\\n')";
        let told = self.client.execute(script, Vec::new()).await;
        told.map_or_else(
            |error| format!("it tells nothing: {error}"),
            |told| told.as_str().unwrap_or_default().to_owned(),
        )
    }
    /// Types into whatever has the focus, as a keyboard does.
    pub async fn press(&self, keys: &str) {
        let focused = self.client.active_element().await.expect("something has the focus");
        focused.send_keys(keys).await.expect("it takes keys");
    }
    /// Keeps a picture of it.
    pub async fn picture(&self, name: &str) {
        let folder = pictures();
        std::fs::create_dir_all(&folder).expect("pictures can be kept");
        // The engine takes a picture with the next frame that it paints; on a still screen there is none.
        // What is on its way from one colour to another arrives first.
        let move_something = "document.getAnimations().forEach((one) => one instanceof CSSTransition && one.finish()); \
            const dot = document.createElement('i'); dot.id = 'moving'; \
            dot.style.cssText = 'position:fixed;inset:0 auto auto 0;width:1px;height:1px'; \
            document.body.append(dot); \
            dot.animate([{ opacity: 0 }, { opacity: 0.01 }], { duration: 200, iterations: Infinity });";
        self.client.execute(move_something, vec![]).await.expect("the window answers");
        let bytes = self.client.screenshot().await.expect("a picture");
        self.client.execute("document.getElementById('moving').remove()", vec![]).await.expect("the window answers");
        std::fs::write(folder.join(name), bytes).expect("pictures can be kept");
    }
    /// axe-core finds nothing on what stands there.
    pub async fn accessible(&self, name: &str) {
        let axe =
            std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../ui/node_modules/axe-core/axe.min.js"))
                .expect("npm ci has installed axe-core");
        self.client.execute(&axe, vec![]).await.expect("the window answers");
        let run = "const done = arguments[0]; axe.run(document, { resultTypes: ['violations'] }).then(\
            (found) => done(found.violations.map((one) => [one.id, one.nodes.map((node) => node.html)])),\
            (error) => done(String(error)))";
        let found = self.client.execute_async(run, vec![]).await.expect("the window answers");
        assert_eq!(found, json!([]), "{name}");
    }
    /// Puts a theme on.
    pub async fn theme(&self, name: &str) {
        let script = format!("document.documentElement.dataset.theme = '{name}'");
        self.client.execute(&script, vec![]).await.expect("the window answers");
    }
    /// The marked element that has the focus; empty where it is none.
    pub async fn focused(&self) -> String {
        let script = "return document.activeElement?.dataset?.testid ?? ''";
        let found = self.client.execute(script, vec![]).await.expect("the window answers");
        found.as_str().unwrap_or_default().to_owned()
    }
    /// Presses Tab until this has the focus.
    pub async fn tab_to(&self, id: &str) {
        for _ in 0..40 {
            if self.focused().await == id {
                return;
            }
            self.press(&String::from(char::from(Key::Tab))).await;
        }
        panic!("Tab does not come to {id}");
    }
    /// Waits, in the page, until an expression is true; an expression may have to be waited for itself.
    pub async fn until(&self, expression: &str) {
        let script = format!(
            "const done = arguments[0]; let left = 4800; const look = async () => {{ const now = await ({expression}); \
             if (now || (left -= 1) < 0) done(now === true); else setTimeout(look, 25); }}; look()"
        );
        let found = self.client.execute_async(&script, vec![]).await.expect("the window answers");
        assert_eq!(found, json!(true), "{expression}");
    }
    /// Waits until something holds these words.
    pub async fn says(&self, selector: &str, words: &str) {
        let (selector, words) = (json!(selector), json!(words));
        self.until(&format!("(document.querySelector({selector})?.textContent ?? '').includes({words})")).await;
    }
    /// Goes to the exchange and gives the relay's address, by keyboard; `stay` keeps the connection.
    pub async fn reach(&self, url: &str, stay: bool) {
        self.press("ge").await;
        let address = self.wait_for(&test_id("relay-url")).await;
        address.clear().await.expect("the field empties");
        self.tab_to("relay-url").await;
        self.press(url).await;
        self.tab_to(if stay { "relay-connect" } else { "relay-sync" }).await;
        self.press(&String::from(char::from(Key::Enter))).await;
        if stay {
            self.wait_for("footer svg.full").await;
        }
    }
    /// Waits until something stands there, and gives its text.
    pub async fn text_of(&self, selector: &str) -> String {
        let found = self.wait_for(selector).await.prop("textContent").await.expect("the window answers");
        found.unwrap_or_default()
    }
    /// A picture dark and light; in both it is accessible.
    pub async fn both(&self, name: &str) {
        for theme in ["dark", "light"] {
            self.theme(theme).await;
            self.picture(&format!("{name}-{theme}.png")).await;
            self.accessible(&format!("{name}, {theme}")).await;
        }
        self.theme("dark").await;
    }
    /// Closes it, and waits until its vault is free.
    pub async fn closed(self, device: &Device) {
        let Self { client, _driver } = self;
        client.close().await.expect("the window closes");
        // The driver ends the window's process after it has answered; so it must outlive that process,
        // whose lock on the vault goes when it does.
        let lock = std::fs::File::open(device.dir.join("lock")).expect("a vault has a lock");
        let freed = tokio::task::spawn_blocking(move || lock.lock());
        tokio::time::timeout(Duration::from_secs(60), freed)
            .await
            .expect("the vault stayed locked after its window was closed")
            .expect("waiting for a lock does not panic")
            .expect("the lock can be taken");
    }
}

/// How long steps took from the key to what is to be seen, kept beside the pictures; the driver's own
/// part is in it. For a table that people read: no test fails by the clock.
pub struct Timings {
    journey: &'static str,
    lines: String,
}

impl Timings {
    /// Of one journey.
    pub fn of(journey: &'static str) -> Self {
        Self { journey, lines: String::new() }
    }
    /// One step: what is done until it is seen.
    pub async fn step<T>(&mut self, name: &str, done: impl Future<Output = T>) -> T {
        let before = std::time::Instant::now();
        let result = done.await;
        let line = format!("| {} | {name} | {} ms |\n", self.journey, before.elapsed().as_millis());
        self.lines.push_str(&line);
        result
    }
}

impl Drop for Timings {
    fn drop(&mut self) {
        // A table that cannot be kept fails nothing.
        let _ = std::fs::create_dir_all(pictures());
        let _ = std::fs::write(pictures().join(format!("timings-{}.md", self.journey.replace(' ', "-"))), &self.lines);
    }
}

/// Where pictures go: `INTACT_PICTURES`, or beside the build.
pub fn pictures() -> PathBuf {
    std::env::var_os("INTACT_PICTURES").map_or_else(|| binaries().join("pictures"), PathBuf::from)
}
