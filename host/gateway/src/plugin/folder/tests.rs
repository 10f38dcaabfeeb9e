//! The folder on its own: what is written, what is kept, and what is refused.

use super::*;

fn folder() -> (tempfile::TempDir, Folder) {
    let dir = tempfile::tempdir().unwrap();
    let plugins = config::Plugins { dir: dir.path().to_owned(), ..config::Plugins::default() };
    let folder = Folder::of(&plugins).unwrap();
    (dir, folder)
}

fn kept(folder: &Folder) -> Vec<Vec<u8>> {
    folder.kept("web").iter().map(|kept| fs::read(&kept.path).unwrap()).collect()
}

fn current(folder: &Folder) -> Vec<u8> {
    fs::read(folder.file("web")).unwrap()
}

#[test]
fn what_an_installation_replaces_is_kept_up_to_the_limit() {
    let (_dir, folder) = folder();
    for version in [b"1", b"2", b"3", b"4"] {
        assert_eq!(folder.install("web", version).unwrap(), folder.file("web"));
    }
    assert_eq!(current(&folder), b"4");
    assert_eq!(kept(&folder), [b"3", b"2"], "three with the current one");
    folder.install("web", b"4").unwrap();
    assert_eq!(kept(&folder), [b"3", b"2"], "the same file again changes nothing");
    folder.install("web", b"2").unwrap();
    assert_eq!(kept(&folder), [b"4", b"3"], "no version is there twice");
    let names: Vec<_> = fs::read_dir(folder.dir()).unwrap().map(|it| it.unwrap().path()).collect();
    assert_eq!(names.iter().filter(|file| is_wasm(file)).count(), 1, "{names:?}");
}

#[test]
fn going_back_drops_what_it_replaces() {
    let (_dir, folder) = folder();
    assert_eq!(folder.roll_back("web").unwrap_err().step, "find");
    for version in [b"1", b"2", b"3"] {
        folder.install("web", version).unwrap();
    }
    folder.roll_back("web").unwrap();
    assert_eq!((current(&folder), kept(&folder)), (b"2".to_vec(), vec![b"1".to_vec()]));
    folder.roll_back("web").unwrap();
    assert_eq!((current(&folder), kept(&folder)), (b"1".to_vec(), vec![]));
    assert_eq!(folder.roll_back("web").unwrap_err().step, "find");
    assert_eq!(current(&folder), b"1");
}

#[test]
fn removing_leaves_nothing_of_the_plugin_and_everything_of_others() {
    let (_dir, folder) = folder();
    folder.install("other", b"1").unwrap();
    folder.install("web", b"1").unwrap();
    folder.install("web", b"2").unwrap();
    assert!(folder.remove("web", &[]).unwrap());
    assert!(!folder.remove("web", &[]).unwrap());
    assert_eq!(folder.kept("web"), []);
    assert_eq!(folder.files().unwrap(), [folder.file("other")]);
}

#[test]
fn an_id_that_is_a_path_is_none() {
    let (_dir, folder) = folder();
    for id in ["", "../web", "a/b", ".web", "Web"] {
        assert_eq!(folder.install(id, b"1").unwrap_err().step, "find", "{id}");
        assert_eq!(folder.remove(id, &[]).unwrap_err().step, "find", "{id}");
    }
    assert_eq!(folder.files().unwrap(), Vec::<PathBuf>::new());
}

#[test]
fn an_installation_that_fails_leaves_what_was_there() {
    let (_dir, folder) = folder();
    folder.install("web", b"1").unwrap();
    // A folder where the kept file would have to be written.
    fs::write(folder.dir().join(GENERATIONS), b"in the way").unwrap();
    let error = folder.install("web", b"2").unwrap_err();
    assert!(error.step == "write" && error.reason.contains("plugins.dir"), "{error}");
    assert_eq!(current(&folder), b"1");
}

fn strings(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn what_is_granted_is_added_and_the_rest_stays_as_it_is_written() {
    let (_dir, folder) = folder();
    assert!(folder.grants().unwrap().is_empty());
    folder.grant("web", &strings(&["search=docs"])).unwrap();
    let written = "# mine\n[grant]\n\"web\" = [ # the search\n  \"search=docs\"]# end\n\n# last\n";
    fs::write(folder.grants_file(), written).unwrap();
    folder.grant("file", &strings(&["models"])).unwrap();
    let exa = "http=https://api.exa.ai";
    folder.grant("web", &strings(&[exa, "search=docs"])).unwrap();
    let grants = folder.grants().unwrap();
    assert_eq!(grants["web"], ["search=docs", exa]);
    assert_eq!(grants["file"], ["models"]);
    let text = fs::read_to_string(folder.grants_file()).unwrap();
    for part in ["# mine\n[grant]\n\"web\" = [\"search=docs\", ", "]# end\nfile = ", "\n\n# last\n"]
    {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn grants_are_added_to_a_file_however_it_is_written() {
    for text in ["", "# only this", "[grant]", "grant = {}", "grant = { a = [\"models\"] }"] {
        let (_dir, folder) = folder();
        fs::write(folder.grants_file(), text).unwrap();
        let before = folder.grants().unwrap().len();
        folder.grant("web", &strings(&["models=\"\\", "search"])).unwrap();
        let grants = folder.grants().unwrap();
        assert_eq!(grants["web"], ["models=\"\\", "search"], "{text}");
        assert_eq!(grants.len(), before + 1, "{text}");
    }
}

#[test]
fn what_is_wrong_with_the_grants_is_named_with_its_line() {
    let (_dir, folder) = folder();
    let cases = [
        ("[grant]\nweb = [\n\"search\",\n\"fly\"]", "line 4: `fly`"),
        ("[grant]\nweb = [\"search\"]\nfile = \"models\"", "line 3"),
        ("\n[grants]\nweb = [\"search\"]", "line 2"),
    ];
    for (text, part) in cases {
        fs::write(folder.grants_file(), text).unwrap();
        let error = folder.grants().unwrap_err();
        assert!(error.reason.contains(part) && error.reason.contains("grants.toml"), "{error}");
        assert_eq!(folder.grant("web", &strings(&["models"])).unwrap_err().step, "grants");
        assert_eq!(fs::read_to_string(folder.grants_file()).unwrap(), text, "untouched");
    }
    fs::remove_file(folder.grants_file()).unwrap();
    assert!(folder.grant("web", &strings(&["fly"])).is_err());
    assert!(!folder.grants_file().exists());
}
