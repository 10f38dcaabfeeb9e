//! The documents of a folder.

use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use crate::error::Error;

/// The files below a folder whose endings are known, sorted by path; a file gives itself,
/// whatever it is. Hidden ones are left out. Links are followed, but never in a circle. Paths
/// begin as the folder was given.
///
/// # Errors
/// When a folder can't be read: to go on without it would take its documents out of an index.
pub(crate) fn walk(root: &Path, is_known: impl Fn(&str) -> bool) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    let walk = WalkDir::new(root).follow_links(true).sort_by_file_name();
    for entry in walk.into_iter().filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry)) {
        let entry = match entry {
            Ok(entry) => entry,
            // A circle was walked once already; a link to nothing is no document.
            Err(error) if error.loop_ancestor().is_some() || is_dangling(&error) => continue,
            Err(error) => {
                let path = error.path().unwrap_or(root).to_owned();
                return Err(Error::Path { path, source: error.into() });
            }
        };
        let ending = entry.path().extension().and_then(|it| it.to_str());
        let ending = ending.map(str::to_ascii_lowercase);
        let is_document = entry.depth() == 0 || ending.is_some_and(|ending| is_known(&ending));
        if entry.file_type().is_file() && is_document {
            files.push(entry.into_path());
        }
    }
    Ok(files)
}

fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_name().as_encoded_bytes().starts_with(b".")
}

fn is_dangling(error: &walkdir::Error) -> bool {
    error.path().is_some_and(Path::is_symlink)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn is_known(ending: &str) -> bool {
        ["html", "md"].contains(&ending)
    }

    #[test]
    fn a_walk_finds_what_can_be_read_and_nothing_hidden() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for file in ["b.md", "a/c.HTML", "a/d.png", ".git/e.md", "a/.f.md", "g"] {
            fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
            fs::write(root.join(file), "x").unwrap();
        }
        let found = walk(root, is_known).unwrap();
        assert_eq!(found, ["a/c.HTML", "b.md"].map(|file| root.join(file)));
        assert_eq!(walk(&root.join("g"), is_known).unwrap(), [root.join("g")]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_a_circle_or_to_nothing_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir(root.join("a")).unwrap();
        fs::write(root.join("a/b.md"), "x").unwrap();
        std::os::unix::fs::symlink(root, root.join("a/loop")).unwrap();
        std::os::unix::fs::symlink(root.join("gone"), root.join("a/gone.md")).unwrap();
        assert_eq!(walk(root, is_known).unwrap(), [root.join("a/b.md")]);
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error_with_its_name() {
        let error = walk(Path::new("no/such/folder"), is_known).unwrap_err();
        assert!(error.to_string().contains("no/such/folder"), "{error}");
    }
}
