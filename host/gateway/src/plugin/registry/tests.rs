//! What is installed is what is in the folder, whoever changed it and however often the gateway
//! starts.

use std::fs;
use std::time::Duration;

use super::super::load::digest;
use super::*;
use crate::clock;

fn template() -> Vec<u8> {
    fs::read(env!("PATCHBAY_TEMPLATE_WASM")).unwrap()
}

/// Another version: it does the same, and has a custom section more.
fn version(number: u8) -> Vec<u8> {
    let mut bytes = template();
    bytes.extend([0, 2, 1, number]);
    bytes
}

/// A folder of plugins, and gateways that start with it one after the other.
struct Place {
    dir: tempfile::TempDir,
    config: Config,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.plugins.instances_max = 20;
        config.plugins.dir = dir.path().join("plugins");
        config.plugins.cache_dir = Some(dir.path().join("cache"));
        config.plugins.limits.memory_bytes = 16 << 20;
        fs::create_dir(&config.plugins.dir).unwrap();
        Self { dir, config }
    }

    fn start(&self) -> Plugins {
        Plugins::start(&self.config, Compiler::Here).unwrap()
    }

    fn folder(&self) -> Folder {
        Folder::of(&self.config.plugins).unwrap()
    }

    /// Puts a file there as a copy by hand does, changed so many seconds after 1970.
    fn put(&self, name: &str, bytes: &[u8], seconds: u64) {
        let aside = self.dir.path().join("aside");
        fs::write(&aside, bytes).unwrap();
        let changed = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        fs::File::options().append(true).open(&aside).unwrap().set_modified(changed).unwrap();
        fs::rename(aside, self.config.plugins.dir.join(name)).unwrap();
    }

    /// The digests of the plugin's file and of those that are kept.
    fn on_disk(&self) -> (Option<String>, Vec<String>) {
        let of = |path: PathBuf| Some(digest(&fs::read(path).ok()?));
        let kept = self.folder().kept("template").into_iter().filter_map(|kept| of(kept.path));
        (of(self.folder().file("template")), kept.collect())
    }

    /// Returns when the watch has dealt with all that happened before: a file that came later was
    /// refused, and one that came after that.
    fn settle(&self, plugins: &Plugins) {
        for name in ["settle-1.wasm", "settle-2.wasm"] {
            let file = self.folder().dir().join(name);
            fs::write(&file, b"no plugin").unwrap();
            until(plugins, |registry| registry.refused.contains_key(&file));
            fs::remove_file(&file).unwrap();
            until(plugins, |registry| !registry.refused.contains_key(&file));
        }
    }
}

fn until(plugins: &Plugins, is_so: impl Fn(&Registry) -> bool) {
    let end = clock::now() + Duration::from_secs(60);
    while !is_so(&plugins.snapshot()) {
        assert!(clock::now() < end, "the folder is not followed: {:?}", plugins.snapshot());
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn upload(plugins: &Plugins, number: u8) -> Arc<Plugin> {
    plugins.upload("template", &version(number), Role::Current).unwrap()
}

/// The digests of the current version and of those before it.
fn loaded(registry: &Registry) -> (Option<String>, Vec<String>) {
    let older = registry.kept("template").iter().map(|older| older.digest.clone());
    (registry.find("template").map(|current| current.digest.clone()), older.collect())
}

fn versions(current: u8, older: &[u8]) -> (Option<String>, Vec<String>) {
    let name = |number: u8| digest(&version(number));
    (Some(name(current)), older.iter().copied().map(name).collect())
}

const NOTHING: (Option<String>, Vec<String>) = (None, Vec::new());

#[test]
fn uploads_and_what_they_replaced_are_there_after_a_restart() {
    let place = Place::new();
    let plugins = place.start();
    for number in 1..=4 {
        upload(&plugins, number);
    }
    let wanted = versions(4, &[3, 2]);
    assert_eq!(loaded(&plugins.snapshot()), wanted);
    assert_eq!(place.on_disk(), wanted);
    place.settle(&plugins);
    assert_eq!(loaded(&plugins.snapshot()), wanted, "the watch saw only what was known");
    drop(plugins);

    let plugins = place.start();
    assert_eq!(loaded(&plugins.snapshot()).0, wanted.0);
    until(&plugins, |registry| loaded(registry) == wanted);
    assert_eq!(plugins.snapshot().find("template").unwrap().origin.as_str(), "dir");
}

#[test]
fn a_version_that_breaks_after_a_restart_is_passed_over_for_the_one_before() {
    let place = Place::new();
    let plugins = place.start();
    upload(&plugins, 1);
    upload(&plugins, 2);
    drop(plugins);
    let plugins = place.start();
    until(&plugins, |registry| loaded(registry) == versions(2, &[1]));
    let registry = plugins.snapshot();
    let serving = || Some(registry.serving("template", 0)?.plugin.digest.clone());
    assert_eq!(serving(), versions(2, &[]).0);
    while !registry.find("template").unwrap().breaker.fail() {}
    assert_eq!(serving(), versions(1, &[]).0);
}

#[test]
fn a_rollback_is_not_undone_by_the_watch_nor_by_a_restart() {
    let place = Place::new();
    let plugins = place.start();
    for number in 1..=3 {
        upload(&plugins, number);
    }
    assert_eq!(Some(plugins.rollback("template").unwrap().digest.clone()), versions(2, &[]).0);
    assert_eq!(
        (loaded(&plugins.snapshot()), place.on_disk()),
        (versions(2, &[1]), versions(2, &[1]))
    );
    place.settle(&plugins);
    assert_eq!(loaded(&plugins.snapshot()), versions(2, &[1]));
    drop(plugins);

    let plugins = place.start();
    // Whether or not what is kept was loaded yet.
    plugins.rollback("template").unwrap();
    let wanted = versions(1, &[]);
    assert_eq!((loaded(&plugins.snapshot()), place.on_disk()), (wanted.clone(), wanted));
    assert_eq!(plugins.rollback("template").unwrap_err().step, "find");
}

#[test]
fn what_is_deleted_does_not_come_back() {
    let place = Place::new();
    place.put("mine.wasm", &version(1), 1);
    let plugins = place.start();
    upload(&plugins, 2);
    assert_eq!(place.on_disk(), versions(2, &[1]), "the file by hand is kept as well");
    assert!(!place.folder().dir().join("mine.wasm").exists());
    plugins.remove("template").unwrap();
    assert_eq!((loaded(&plugins.snapshot()), place.on_disk()), (NOTHING, NOTHING));
    place.settle(&plugins);
    assert_eq!(loaded(&plugins.snapshot()), NOTHING);
    assert_eq!(plugins.remove("template").unwrap_err().step, "find");
    drop(plugins);
    assert_eq!(loaded(&place.start().snapshot()), NOTHING);
}

#[test]
fn a_refused_upload_changes_neither_the_folder_nor_what_serves() {
    let place = Place::new();
    let plugins = place.start();
    upload(&plugins, 1);
    upload(&plugins, 2);
    let broken = plugins.upload("template", b"no plugin", Role::Current).unwrap_err();
    assert_eq!(broken.step, "wrap");
    let other = plugins.upload("other", &version(3), Role::Current).unwrap_err();
    assert_eq!(other.step, "description");
    let wanted = versions(2, &[1]);
    assert_eq!((loaded(&plugins.snapshot()), place.on_disk()), (wanted.clone(), wanted.clone()));

    // A folder that takes no file either.
    fs::remove_dir_all(place.folder().dir().join(".generations")).unwrap();
    fs::write(place.folder().dir().join(".generations"), b"in the way").unwrap();
    let unwritten = plugins.upload("template", &version(3), Role::Current).unwrap_err();
    assert_eq!(unwritten.step, "write");
    assert_eq!((loaded(&plugins.snapshot()), place.on_disk().0), (wanted.clone(), wanted.0));
}

#[test]
fn a_trial_is_in_the_folder_once_it_is_promoted() {
    let place = Place::new();
    let plugins = place.start();
    upload(&plugins, 1);
    for role in [Role::Canary(5), Role::Shadow] {
        plugins.upload("template", &version(2), role).unwrap();
        assert_eq!(
            (loaded(&plugins.snapshot()), place.on_disk()),
            (versions(1, &[]), versions(1, &[]))
        );
    }
    plugins.promote("template").unwrap();
    let wanted = versions(2, &[1]);
    assert_eq!((loaded(&plugins.snapshot()), place.on_disk()), (wanted.clone(), wanted));
}

#[test]
fn uploads_at_once_end_in_one_state() {
    let place = Place::new();
    let plugins = place.start();
    std::thread::scope(|scope| {
        for number in [1, 2, 1, 2] {
            let plugins = &plugins;
            scope.spawn(move || upload(plugins, number));
        }
    });
    let state = loaded(&plugins.snapshot());
    assert!([versions(1, &[2]), versions(2, &[1])].contains(&state), "{state:?}");
    assert_eq!(place.on_disk(), state);
    place.settle(&plugins);
    assert_eq!((loaded(&plugins.snapshot()), place.on_disk()), (state.clone(), state));
}

#[test]
fn a_file_that_is_overwritten_by_hand_can_be_returned_to() {
    let place = Place::new();
    place.put("mine.wasm", &version(1), 1);
    let plugins = place.start();
    place.put("mine.wasm", &version(2), 2);
    until(&plugins, |registry| loaded(registry) == versions(2, &[1]));
    assert_eq!(place.on_disk().1, versions(2, &[1]).1);
    place.put("mine.wasm", &version(1), 3);
    until(&plugins, |registry| loaded(registry) == versions(1, &[2]));
    assert_eq!(place.on_disk().1, versions(1, &[2]).1, "an older version by hand is a new one");

    plugins.rollback("template").unwrap();
    assert_eq!(place.on_disk(), versions(2, &[]));
    place.settle(&plugins);
    assert_eq!(loaded(&plugins.snapshot()), versions(2, &[]));
    drop(plugins);
    assert_eq!(loaded(&place.start().snapshot()), versions(2, &[]));
}

#[test]
fn of_two_files_with_one_plugin_the_newer_serves() {
    let place = Place::new();
    place.put("a.wasm", &version(2), 20);
    place.put("b.wasm", &version(1), 10);
    let plugins = place.start();
    assert_eq!(loaded(&plugins.snapshot()).0, versions(2, &[]).0);
    // An older one that arrives later does not serve either.
    place.put("c.wasm", &version(3), 5);
    place.settle(&plugins);
    assert_eq!(loaded(&plugins.snapshot()).0, versions(2, &[]).0);
    for (file, next) in [("a.wasm", 1), ("b.wasm", 3)] {
        fs::remove_file(place.folder().dir().join(file)).unwrap();
        until(&plugins, |registry| loaded(registry).0 == versions(next, &[]).0);
    }
    fs::remove_file(place.folder().dir().join("c.wasm")).unwrap();
    until(&plugins, |registry| registry.find("template").is_none());
}

#[test]
fn what_another_process_does_to_the_folder_is_followed() {
    let place = Place::new();
    let plugins = place.start();
    for number in 1..=3 {
        place.folder().install("template", &version(number)).unwrap();
    }
    until(&plugins, |registry| loaded(registry) == versions(3, &[2, 1]));
    place.folder().roll_back("template").unwrap();
    until(&plugins, |registry| loaded(registry) == versions(2, &[1]));
    assert_eq!(place.on_disk(), versions(2, &[1]));
    place.folder().remove("template", &[]).unwrap();
    until(&plugins, |registry| registry.find("template").is_none());
}

#[test]
fn a_shipped_plugin_returns_when_its_replacement_is_rolled_back() {
    let place = Place::new();
    let plugins = place.start();
    let (id, shipped) = SHIPPED.first().unwrap();
    let mut own = shipped.to_vec();
    own.extend([0, 2, 1, 1]);
    let current = |plugins: &Plugins| plugins.snapshot().find(id).unwrap().digest.clone();
    plugins.upload(id, &own, Role::Current).unwrap();
    drop(plugins);
    let plugins = place.start();
    assert_eq!(current(&plugins), digest(&own));
    plugins.rollback(id).unwrap();
    assert!(!place.folder().file(id).exists());
    drop(plugins);
    let plugins = place.start();
    assert_eq!(current(&plugins), digest(shipped));
    assert_eq!(plugins.snapshot().kept(id).len(), 0);
}

#[test]
fn what_is_granted_in_the_folder_counts_at_once_and_for_every_version() {
    let place = Place::new();
    let caller = fs::read(env!("PATCHBAY_CALLER_WASM")).unwrap();
    let mut newer = caller.clone();
    newer.extend([0, 2, 1, 1]);
    let plugins = place.start();
    let id = plugins.install(&caller, Origin::Upload).unwrap().description.id.clone();
    let after = plugins.upload(&id, &newer, Role::Current).unwrap();
    let before = Arc::clone(&plugins.snapshot().kept(&id)[0]);
    let wants = after.description.capabilities.clone();
    assert!(!wants.is_empty() && after.missing() == wants, "{wants:?}");

    let grants = ["http=https://api.exa.ai", "secrets", "models=openai/*", "search=docs"];
    place.folder().grant(&id, &grants.map(str::to_owned)).unwrap();
    until(&plugins, |_| after.missing().is_empty() && before.missing().is_empty());
    let granted = after.granted();
    assert_eq!(granted, ["http=https://api.exa.ai", "secrets=*", "models=openai/*", "search=docs"]);
    assert!(Arc::ptr_eq(plugins.snapshot().find(&id).unwrap(), &after), "it was not loaded anew");

    let file = place.folder().grants_file();
    fs::write(&file, "[grant]\nx = [\"fly\"]").unwrap();
    until(&plugins, |registry| registry.refused.contains_key(&file));
    assert_eq!(after.granted(), granted, "what was granted before stays");
    fs::remove_file(&file).unwrap();
    until(&plugins, |registry| registry.refused.is_empty() && after.missing() == wants);
}
