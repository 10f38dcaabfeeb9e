//! The folder that is the installation: `<id>.wasm` is what serves, `.generations/<id>/` what served
//! before, `grants.toml` what was granted beside the configuration. The gateway and the command
//! line both write here, one at a time; whoever reads finds a whole file or the one before it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::load::{self, LoadError};
use crate::config;

mod granted;

#[cfg(test)]
mod tests;

/// The folder and how much is kept in it.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    dir: PathBuf,
    /// Versions kept of a plugin beside the one that serves.
    kept_max: usize,
}

/// An earlier version's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    /// How its digest begins.
    pub(crate) digest12: String,
    /// Where it is.
    pub(crate) path: PathBuf,
}

impl Kept {
    /// Whether it is the file with this digest.
    pub(crate) fn is(&self, digest: &str) -> bool {
        digest.starts_with(&self.digest12)
    }
}

impl Folder {
    /// The folder of the configuration; none when it names none. It is made when something is
    /// written to it.
    pub(crate) fn of(plugins: &config::Plugins) -> Option<Self> {
        if plugins.dir.as_os_str().is_empty() {
            return None;
        }
        // A watch names files by this path, whatever the working directory is then.
        let dir = plugins.dir.canonicalize().unwrap_or_else(|_| plugins.dir.clone());
        Some(Self { dir, kept_max: plugins.generations_kept.saturating_sub(1) })
    }

    /// Where it is.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The file that this writes a plugin to. One that was put here by hand may have another name.
    pub(crate) fn file(&self, id: &str) -> PathBuf {
        self.dir.join(format!("{id}.wasm"))
    }

    /// The file of what was granted beside the configuration.
    pub(crate) fn grants_file(&self) -> PathBuf {
        self.dir.join(GRANTS)
    }

    /// The plugin files, oldest first, so that of two with the same plugin the newer one comes
    /// last.
    ///
    /// # Errors
    /// When the folder can't be read; one that is missing is empty.
    pub(crate) fn files(&self) -> Result<Vec<PathBuf>, LoadError> {
        let entries = match fs::read_dir(&self.dir) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(|error| unreadable(&self.dir, &error))?,
        };
        let files = entries.flatten().map(|entry| entry.path()).filter(|file| is_wasm(file));
        let mut files: Vec<_> = files
            .map(|file| (fs::metadata(&file).and_then(|it| it.modified()).ok(), file))
            .collect();
        files.sort();
        Ok(files.into_iter().map(|(_, file)| file).collect())
    }

    /// Makes this the plugin's file. The one before it is kept.
    ///
    /// # Errors
    /// When the folder can't be written; what was there then stays.
    pub(crate) fn install(&self, id: &str, bytes: &[u8]) -> Result<PathBuf, LoadError> {
        self.install_over(&self.file(id), id, bytes)
    }

    /// The same where the plugin's file has another name: that one is kept and goes.
    ///
    /// # Errors
    /// As [`Self::install`].
    pub(super) fn install_over(
        &self,
        before: &Path,
        id: &str,
        bytes: &[u8],
    ) -> Result<PathBuf, LoadError> {
        check(id)?;
        let _lock = self.lock()?;
        let (file, digest) = (self.file(id), load::digest(bytes));
        let replaced = [file.as_path(), before];
        for path in replaced.iter().skip(usize::from(file == before)) {
            let Some(old) = read(path)? else { continue };
            let own = load::digest(&old);
            if own != digest {
                self.add_kept(id, &own, &old)?;
            } else if file == before {
                return Ok(file);
            }
        }
        self.replace(before, id, &digest, bytes)
    }

    /// The versions before the plugin's file, newest first.
    pub(crate) fn kept(&self, id: &str) -> Vec<Kept> {
        self.numbered(id).into_iter().map(|(_, kept)| kept).collect()
    }

    /// Keeps a version whose file was overwritten by hand.
    ///
    /// # Errors
    /// When the folder can't be written.
    pub(super) fn keep(&self, id: &str, digest: &str, bytes: &[u8]) -> Result<(), LoadError> {
        check(id)?;
        let _lock = self.lock()?;
        match self.kept(id).iter().any(|kept| kept.is(digest)) {
            true => Ok(()),
            false => self.add_kept(id, digest, bytes),
        }
    }

    /// Forgets the kept file of the version that serves again.
    ///
    /// # Errors
    /// When the folder can't be written.
    pub(super) fn unkeep(&self, id: &str, digest: &str) -> Result<(), LoadError> {
        let mut again = self.kept(id).into_iter().filter(|kept| kept.is(digest));
        again.try_for_each(|kept| delete(&kept.path).map(drop))
    }

    /// Makes the newest kept version the plugin's file again. The one that it replaces is gone.
    ///
    /// # Errors
    /// When none is kept, or the folder can't be written.
    pub(crate) fn roll_back(&self, id: &str) -> Result<PathBuf, LoadError> {
        check(id)?;
        let _lock = self.lock()?;
        let none = || LoadError::new("find", format!("no older version of `{id}` is kept"));
        let newest = self.kept(id).into_iter().next().ok_or_else(none)?;
        let bytes = read(&newest.path)?.ok_or_else(none)?;
        self.replace(&self.file(id), id, &load::digest(&bytes), &bytes)
    }

    /// Makes a version that was kept the plugin's file again, in place of `before`.
    ///
    /// # Errors
    /// When the folder can't be written.
    pub(super) fn put_back(
        &self,
        before: &Path,
        id: &str,
        bytes: &[u8],
    ) -> Result<PathBuf, LoadError> {
        check(id)?;
        let _lock = self.lock()?;
        self.replace(before, id, &load::digest(bytes), bytes)
    }

    /// Deletes the plugin's file, those that were kept, and `files`, which hold the plugin under
    /// other names. Says whether there was any.
    ///
    /// # Errors
    /// When one can't be deleted.
    pub(super) fn remove(&self, id: &str, files: &[PathBuf]) -> Result<bool, LoadError> {
        check(id)?;
        let _lock = self.lock()?;
        let mut was_any = delete(&self.file(id))?;
        for file in files {
            was_any |= delete(file)?;
        }
        let generations = self.generations(id);
        match fs::remove_dir_all(&generations) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(was_any),
            Err(error) => Err(unwritable(&generations, &error)),
        }
    }

    /// What was granted beside the configuration, by plugin.
    ///
    /// # Errors
    /// Names the file, the line and what is wrong there.
    pub(crate) fn grants(&self) -> Result<BTreeMap<String, Vec<String>>, LoadError> {
        let file = self.grants_file();
        let text = self.grants_text()?;
        granted::parse(&text).map_err(|reason| wrong(&file, &reason))
    }

    /// Grants a plugin more. A running gateway follows, without loading the plugin anew.
    ///
    /// # Errors
    /// When a grant is none, or the file is broken or can't be written.
    pub(crate) fn grant(&self, id: &str, more: &[String]) -> Result<(), LoadError> {
        check(id)?;
        let _lock = self.lock()?;
        let file = self.grants_file();
        let text = granted::add(&self.grants_text()?, id, more);
        let text = text.map_err(|reason| wrong(&file, &reason))?;
        write(&file, text.as_bytes())
    }

    fn grants_text(&self) -> Result<String, LoadError> {
        let file = self.grants_file();
        let bytes = read(&file)?.unwrap_or_default();
        String::from_utf8(bytes).map_err(|error| wrong(&file, &error.to_string()))
    }

    /// Writes the plugin's file, and drops `before` where that has another name.
    fn replace(
        &self,
        before: &Path,
        id: &str,
        digest: &str,
        bytes: &[u8],
    ) -> Result<PathBuf, LoadError> {
        let file = self.file(id);
        write(&file, bytes)?;
        if before != file {
            delete(before)?;
        }
        self.unkeep(id, digest)?;
        Ok(file)
    }

    fn add_kept(&self, id: &str, digest: &str, bytes: &[u8]) -> Result<(), LoadError> {
        if self.kept_max == 0 {
            return Ok(());
        }
        self.unkeep(id, digest)?;
        let dir = self.generations(id);
        fs::create_dir_all(&dir).map_err(|error| unwritable(&dir, &error))?;
        let newest = self.numbered(id).first().map_or(0, |(number, _)| *number);
        let (number, digest12) = (newest.saturating_add(1), digest.get(..12).unwrap_or(digest));
        write(&dir.join(format!("{number:04}-{digest12}.wasm")), bytes)?;
        for kept in self.kept(id).iter().skip(self.kept_max) {
            delete(&kept.path)?;
        }
        Ok(())
    }

    /// What is kept, with the numbers that say in which order it was; newest first.
    fn numbered(&self, id: &str) -> Vec<(u64, Kept)> {
        let entries = fs::read_dir(self.generations(id)).into_iter().flatten().flatten();
        let parse = |path: PathBuf| {
            let name = path.file_name()?.to_str()?.strip_suffix(".wasm")?;
            let (number, digest12) = name.split_once('-')?;
            let (number, digest12) = (number.parse::<u64>().ok()?, digest12.to_owned());
            Some((number, Kept { digest12, path }))
        };
        let mut kept: Vec<_> = entries.filter_map(|entry| parse(entry.path())).collect();
        kept.sort_by(|(one, _), (other, _)| other.cmp(one));
        kept
    }

    fn generations(&self, id: &str) -> PathBuf {
        self.dir.join(GENERATIONS).join(id)
    }

    /// Keeps other writers out until it is dropped, those of other processes too.
    fn lock(&self) -> Result<File, LoadError> {
        let path = self.dir.join(LOCK);
        let failed = |error: std::io::Error| unwritable(&path, &error);
        fs::create_dir_all(&self.dir).map_err(|error| unwritable(&self.dir, &error))?;
        let file = File::options().create(true).append(true).open(&path).map_err(failed)?;
        file.lock().map_err(failed)?;
        Ok(file)
    }
}

/// Editors and copies write to hidden or differently named files first.
pub(super) fn is_wasm(path: &Path) -> bool {
    let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    !is_hidden && path.extension().is_some_and(|extension| extension == "wasm")
}

/// Only an id names files: nothing leads out of the folder.
fn check(id: &str) -> Result<(), LoadError> {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !id.is_empty() && id.bytes().all(is_letter) {
        return Ok(());
    }
    let rule = "use lower-case letters, digits and `-`";
    Err(LoadError::new("find", format!("`{}` is no plugin's id: {rule}", id.escape_debug())))
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, LoadError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(path, &error)),
    }
}

/// Written under a hidden name first, so that nobody finds half of it.
fn write(path: &Path, bytes: &[u8]) -> Result<(), LoadError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let unfinished = path.with_file_name(format!(".{name}.unfinished"));
    let written = File::create(&unfinished).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&unfinished, path)
    });
    written.map_err(|error| unwritable(path, &error))
}

fn delete(path: &Path) -> Result<bool, LoadError> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(unwritable(path, &error)),
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> LoadError {
    LoadError::new("read", format!("{} can't be read: {error} (plugins.dir)", path.display()))
}

fn unwritable(path: &Path, error: &std::io::Error) -> LoadError {
    let fix = "let this user write to plugins.dir";
    LoadError::new("write", format!("{} can't be changed: {error}; {fix}", path.display()))
}

fn wrong(file: &Path, reason: &str) -> LoadError {
    LoadError::new("grants", format!("{}: {}", file.display(), reason.trim_end()))
}

const GENERATIONS: &str = ".generations";
const GRANTS: &str = "grants.toml";
const LOCK: &str = ".lock";
