//! What is loaded. Readers take a snapshot and keep it for a whole generation; writers (`shelf`)
//! build the next registry and swap it in whole, so nobody ever sees half a change.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::Context;

use super::cases::{self, CaseReport};
use super::compile::Compiler;
use super::folder::{Folder, Kept};
use super::load::{LoadError, Origin, Plugin};
use super::outside::{Outside, Services};
use super::shelf::Shelf;
use super::trigger::{Index, Signs};
use super::watch::Watch;
use crate::config::{self, Config, nearest};

#[cfg(test)]
mod tests;

/// All plugins, and the way to change them.
pub(crate) struct Plugins {
    shelf: Arc<Shelf>,
    /// The folder is watched for as long as this lives.
    _watch: Option<Watch>,
}

impl Plugins {
    /// Starts the engine, loads the shipped plugins and those of the folder, and watches it. Slow:
    /// it compiles. From then on what is installed is what is in the folder.
    ///
    /// # Errors
    /// When the engine or the folder can't be used. A plugin of the folder that is broken is
    /// logged and remembered instead.
    pub(crate) fn start(config: &Config, compiler: Compiler) -> Result<Self, anyhow::Error> {
        let dir = &config.plugins.dir;
        if !dir.as_os_str().is_empty() {
            let place = || format!("plugins.dir is {}", dir.display());
            std::fs::create_dir_all(dir).with_context(place)?;
        }
        let folder = Folder::of(&config.plugins);
        let shelf = Arc::new(Shelf::new(config, compiler, folder.clone())?);
        shelf.follow_grants();
        let mut plugins = Self { shelf, _watch: None };
        for (id, bytes) in SHIPPED {
            let loaded = plugins.install(bytes, Origin::Shipped);
            loaded.map_err(|error| anyhow::anyhow!("the shipped plugin `{id}` was {error}"))?;
        }
        if let Some(folder) = folder {
            plugins._watch = Some(Watch::start(&plugins.shelf, &folder)?);
        }
        Ok(plugins)
    }

    /// The engine, with nothing loaded and no folder.
    ///
    /// # Errors
    /// When the engine does not start.
    pub(crate) fn empty(config: &Config, compiler: Compiler) -> Result<Self, anyhow::Error> {
        Ok(Self { shelf: Arc::new(Shelf::new(config, compiler, None)?), _watch: None })
    }

    /// The plugins as they are now.
    pub(crate) fn snapshot(&self) -> Arc<Registry> {
        self.shelf.snapshot()
    }

    /// What a generation's plugins reach outside the sandbox.
    pub(crate) fn outside(&self, services: Arc<dyn Services>) -> Outside {
        self.shelf.outside(services)
    }

    /// Loads a file and makes it the current version of the plugin that it says it is. Slow: it
    /// compiles. The same file again changes nothing.
    ///
    /// # Errors
    /// Names the step that refused it. What was loaded before stays.
    pub(crate) fn install(&self, bytes: &[u8], origin: Origin) -> Result<Arc<Plugin>, LoadError> {
        self.shelf.install(bytes, origin, None, Role::Current)
    }

    /// Loads an upload that must be the plugin of that name, as its current version or on trial.
    /// A current version is in the folder when this returns, one on trial once it is promoted.
    ///
    /// # Errors
    /// As [`Self::install`], and when it says that it is another one.
    pub(crate) fn upload(
        &self,
        id: &str,
        bytes: &[u8],
        role: Role,
    ) -> Result<Arc<Plugin>, LoadError> {
        self.shelf.install(bytes, Origin::Upload, Some(id), role)
    }

    /// Loads a file without installing it, and runs the cases that it carries and `more`, which
    /// are names and texts.
    ///
    /// # Errors
    /// Names the step that refused it. A case that fails is in its report.
    pub(crate) fn test(
        &self,
        wasm: &[u8],
        more: &[(String, String)],
    ) -> Result<(Arc<Plugin>, Vec<CaseReport>), LoadError> {
        let plugin = self.shelf.load_untested(wasm, Origin::Upload)?;
        let mut all = cases::embedded(wasm)?;
        all.extend_from_slice(more);
        let reports = cases::run(&plugin, &all, &self.shelf.config.plugins);
        Ok((plugin, reports))
    }

    /// Makes the version on trial the current one. Writes to the folder.
    ///
    /// # Errors
    /// When there is no such plugin or nothing on trial.
    pub(crate) fn promote(&self, id: &str) -> Result<Arc<Plugin>, LoadError> {
        self.shelf.promote(id)
    }

    /// Takes a plugin away, out of the folder too. Where a shipped one was replaced, that one
    /// returns.
    ///
    /// # Errors
    /// When there is none, or only the shipped one.
    pub(crate) fn remove(&self, id: &str) -> Result<(), LoadError> {
        self.shelf.remove(id)
    }

    /// Ends a trial, or makes the version before the current one current again, in the folder too.
    /// That one counts as whole, whatever it was before. May compile, shortly after a start.
    ///
    /// # Errors
    /// When there is no such plugin or nothing before it.
    pub(crate) fn rollback(&self, id: &str) -> Result<Arc<Plugin>, LoadError> {
        self.shelf.rollback(id)
    }
}

/// The operator's indexes; nothing is opened before it is asked for.
pub(crate) fn indexes(config: &config::Index) -> index::Indexes {
    let settings = index::Settings {
        document_bytes_max: config.document_bytes_max,
        passage_chars: config.passage_chars,
        overlap_chars: config.overlap_chars,
        writer_bytes: config.writer_bytes,
    };
    index::Indexes::open(&config.dir, settings)
}

/// One state of what is loaded. Immutable once it is swapped in.
#[derive(Debug, Clone, Default)]
pub(crate) struct Registry {
    pub(super) lines: BTreeMap<String, Line>,
    /// The triggers of the current versions, as of the swap.
    index: Index,
    /// What the folder's files hold, by path.
    files: BTreeMap<PathBuf, Held>,
    /// Files of the folder that were refused, by path.
    pub(super) refused: BTreeMap<PathBuf, LoadError>,
}

/// A file of the folder that was loaded.
#[derive(Debug, Clone)]
struct Held {
    id: String,
    digest: String,
    modified: Option<SystemTime>,
}

/// The versions of one plugin.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) current: Arc<Plugin>,
    /// Newest first.
    pub(super) older: Vec<Arc<Plugin>>,
    /// Tried beside the current one.
    pub(super) trial: Option<Trial>,
    /// Returns when what replaced it is removed.
    pub(super) shipped: Option<Arc<Plugin>>,
}

/// What a version that is loaded becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The current one.
    Current,
    /// It serves so many of a hundred new generations; when it fails too often, none.
    Canary(u8),
    /// It runs beside the current one and changes nothing; what it would have done is compared.
    Shadow,
}

/// A version on trial.
#[derive(Debug, Clone)]
pub(crate) struct Trial {
    /// Which.
    pub(crate) plugin: Arc<Plugin>,
    /// How; never [`Role::Current`].
    pub(crate) role: Role,
}

/// What of a plugin serves a generation.
pub(super) struct Serving<'a> {
    /// The version.
    pub(super) plugin: &'a Arc<Plugin>,
    /// Whether even that is passed over: it failed too often and there is nothing before it.
    pub(super) is_disabled: bool,
    /// What runs beside it.
    pub(super) shadow: Option<&'a Arc<Plugin>>,
}

/// A file of the folder that was refused.
#[derive(Debug, Clone)]
pub(crate) struct Refused {
    /// Which.
    pub(crate) file: PathBuf,
    /// Why.
    pub(crate) error: LoadError,
}

impl Registry {
    /// A plugin's current version.
    pub(crate) fn find(&self, id: &str) -> Option<&Arc<Plugin>> {
        self.lines.get(id).map(|line| &line.current)
    }

    /// Whether a model suffix enables a plugin.
    pub(crate) fn is_suffix(&self, suffix: &str) -> bool {
        self.index.of_suffix(suffix).is_some()
    }

    /// Whether a model's name enables a plugin, which will choose another.
    pub(crate) fn is_model(&self, name: &str) -> bool {
        self.index.of_model(name).is_some()
    }

    /// The plugin that a type of tool stands for.
    pub(crate) fn of_tool(&self, kind: &str) -> Option<&str> {
        self.index.of_tool(kind)
    }

    /// The types of tools that stand for plugins, sorted.
    pub(crate) fn tools(&self) -> Vec<&str> {
        let mut tools: Vec<_> = self.index.tools().collect();
        tools.sort_unstable();
        tools
    }

    /// Makes what is looked up on every request, before the registry is swapped in.
    pub(super) fn reindex(&mut self) {
        let triggers = self.lines.values().flat_map(|line| {
            let about = &line.current.description;
            about.triggers.iter().map(|trigger| (trigger, about.id.as_str()))
        });
        self.index = Index::of(triggers);
    }

    /// The plugins that something in a request enables. One that the operator has switched off is
    /// among them only if the request names it, by a suffix, a model or a tool.
    pub(crate) fn triggered(&self, signs: &Signs<'_>, config: &Config) -> Vec<String> {
        let is_off =
            |id: &str| config.plugin.get(id).is_some_and(|table| table.enabled == Some(false));
        self.index.enabled(signs, is_off)
    }

    /// Every plugin's current version, by id.
    pub(crate) fn list(&self) -> impl Iterator<Item = &Arc<Plugin>> {
        self.lines.values().map(|line| &line.current)
    }

    /// The operator's tables of plugins that are not there, each with the fix.
    pub(crate) fn strangers(&self, config: &Config) -> Vec<String> {
        let known = || self.lines.keys().map(String::as_str);
        let strangers = config.plugin.keys().filter(|id| !self.lines.contains_key(*id));
        let told = strangers.map(|id| match nearest::to(id, known()) {
            Some(near) => {
                format!("[plugin.{id}]: there is no plugin `{id}`; did you mean `{near}`?")
            }
            None => {
                let all = known().collect::<Vec<_>>().join(", ");
                format!("[plugin.{id}]: there is no plugin `{id}`; there are: {all}")
            }
        });
        told.collect()
    }

    /// What of a plugin serves a generation. `draw` is a number below a hundred that is the
    /// generation's own.
    pub(super) fn serving(&self, id: &str, draw: u8) -> Option<Serving<'_>> {
        let line = self.lines.get(id)?;
        let trial = line.trial.as_ref().filter(|trial| !trial.plugin.breaker.is_broken());
        let mut shadow = None;
        match trial.map(|trial| (trial.role, &trial.plugin)) {
            Some((Role::Canary(weight), plugin)) if draw < weight => {
                return Some(Serving { plugin, is_disabled: false, shadow });
            }
            Some((Role::Shadow, plugin)) => shadow = Some(plugin),
            _ => {}
        }
        let versions = std::iter::once(&line.current).chain(&line.older);
        let whole = versions.into_iter().find(|version| !version.breaker.is_broken());
        Some(match whole {
            Some(plugin) => Serving { plugin, is_disabled: false, shadow },
            None => {
                let plugin = &line.current;
                Serving { plugin, is_disabled: !plugin.breaker.may_retry(), shadow: None }
            }
        })
    }

    /// The version of a plugin that is on trial.
    pub(crate) fn trial(&self, id: &str) -> Option<&Trial> {
        self.lines.get(id)?.trial.as_ref()
    }

    /// A plugin's older versions that are kept, newest first.
    pub(crate) fn kept(&self, id: &str) -> &[Arc<Plugin>] {
        self.lines.get(id).map_or(&[], |line| &line.older)
    }

    /// The files of the folder that were refused.
    pub(crate) fn refused(&self) -> Vec<Refused> {
        let refused = self.refused.iter();
        refused.map(|(file, error)| Refused { file: file.clone(), error: error.clone() }).collect()
    }

    /// The file of the folder that a plugin's current version is in: of several, the newest.
    pub(crate) fn file(&self, id: &str) -> Option<&Path> {
        let own = self.files.iter().filter(|(_, held)| held.id == id);
        own.max_by_key(|(_, held)| held.modified).map(|(file, _)| file.as_path())
    }

    /// All files of the folder that a plugin is in.
    pub(super) fn files(&self, id: &str) -> Vec<PathBuf> {
        let own = self.files.iter().filter(|(_, held)| held.id == id);
        own.map(|(file, _)| file.clone()).collect()
    }

    /// The plugin that a file of the folder holds.
    pub(super) fn plugin_of(&self, file: &Path) -> Option<&str> {
        self.files.get(file).map(|held| held.id.as_str())
    }

    /// Whether a file was loaded with that content.
    pub(super) fn holds(&self, file: &Path, digest: &str) -> bool {
        self.files.get(file).is_some_and(|held| held.digest == digest)
    }

    /// Remembers what a file holds.
    pub(super) fn hold(&mut self, file: &Path, plugin: &Plugin) {
        let modified = std::fs::metadata(file).and_then(|it| it.modified()).ok();
        let (id, digest) = (plugin.description.id.clone(), plugin.digest.clone());
        self.refused.remove(file);
        self.files.insert(file.to_owned(), Held { id, digest, modified });
    }

    /// Forgets a file without a word on what came from it.
    pub(super) fn let_go(&mut self, file: &Path) {
        self.refused.remove(file);
        self.files.remove(file);
    }

    /// Takes away what came from a file that is gone or holds another plugin now. Returns the file
    /// that must be loaded in its place, if there is one.
    pub(super) fn release(&mut self, file: &Path) -> Option<PathBuf> {
        let held = self.files.remove(file)?;
        let id = held.id.as_str();
        let next = self.file(id).map(Path::to_owned);
        let line = self.lines.get_mut(id)?;
        if let Some(next) = next {
            let digest = self.files.get(&next).map_or("", |held| held.digest.as_str());
            let is_current = line.current.digest == digest;
            let is_back = is_current || line.return_to(digest);
            return (!is_back).then_some(next);
        }
        tracing::info!(id, file = %file.display(), "plugin removed with its file");
        match line.shipped.clone() {
            Some(shipped) => line.restore(shipped),
            None => drop(self.lines.remove(id)),
        }
        None
    }

    /// Every version that is loaded.
    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Plugin>> {
        self.lines.values().flat_map(|line| {
            let trial = line.trial.iter().map(|trial| &trial.plugin);
            let others = line.older.iter().chain(&line.shipped).chain(trial);
            std::iter::once(&line.current).chain(others)
        })
    }

    /// Adds a version, unless one of its triggers is another plugin's.
    pub(super) fn add(
        &mut self,
        plugin: &Arc<Plugin>,
        role: Role,
        kept_max: usize,
    ) -> Result<(), LoadError> {
        let id = &plugin.description.id;
        let exclusive = plugin.description.triggers.iter().filter(|it| it.is_name());
        let taken = exclusive.filter_map(|trigger| {
            // What came with this change is in no index yet.
            let own = |other: &&Arc<Plugin>| other.description.triggers.contains(trigger);
            let other = &self.list().find(own)?.description.id;
            (other != id).then_some((trigger, other))
        });
        if let Some((trigger, other)) = taken.into_iter().next() {
            let reason = format!("trigger `{trigger}` belongs to `{other}`");
            return Err(LoadError::new("description", reason));
        }
        let plugin = Arc::clone(plugin);
        match (self.lines.get_mut(id), role) {
            (Some(line), Role::Current) => line.add(plugin, kept_max),
            (Some(line), role) => line.trial = Some(Trial { plugin, role }),
            (None, Role::Current) => {
                let shipped = (plugin.origin == Origin::Shipped).then(|| Arc::clone(&plugin));
                let id = id.clone();
                let line = Line { current: plugin, older: Vec::new(), trial: None, shipped };
                self.lines.insert(id, line);
            }
            (None, _) => {
                let reason = format!("a first version of `{id}` can't be on trial");
                return Err(LoadError::new("find", reason));
            }
        }
        Ok(())
    }
}

impl Line {
    /// Makes a version the current one. A trial ends with that.
    pub(super) fn add(&mut self, plugin: Arc<Plugin>, kept_max: usize) {
        if plugin.origin == Origin::Shipped {
            self.shipped = Some(Arc::clone(&plugin));
        }
        self.trial = None;
        let before = std::mem::replace(&mut self.current, plugin);
        self.older.insert(0, before);
        self.older.retain(|older| older.digest != self.current.digest);
        self.older.truncate(kept_max.saturating_sub(1));
    }

    /// Whether a version is loaded, by its digest or how that begins.
    pub(super) fn has(&self, kept: &Kept) -> bool {
        std::iter::once(&self.current).chain(&self.older).any(|version| kept.is(&version.digest))
    }

    /// Makes an older version current again, and drops those after it. Says whether there is one
    /// with that digest.
    pub(super) fn return_to(&mut self, digest: &str) -> bool {
        let Some(at) = self.older.iter().position(|older| older.digest == digest) else {
            return false;
        };
        if let Some(version) = self.older.drain(..=at).next_back() {
            version.breaker.mend();
            self.current = version;
            self.trial = None;
        }
        true
    }

    /// Makes the shipped version current, with nothing before it.
    pub(super) fn restore(&mut self, shipped: Arc<Plugin>) {
        self.older.clear();
        self.trial = None;
        self.current = shipped;
    }

    /// Puts the older versions into the order of the folder, with those that were loaded from
    /// there. What the folder does not keep (a shipped version) comes after.
    pub(super) fn arrange(&mut self, kept: &[Kept], loaded: &[Arc<Plugin>], kept_max: usize) {
        let others = std::mem::take(&mut self.older);
        let find = |kept: &Kept| others.iter().chain(loaded).find(|it| kept.is(&it.digest));
        self.older = kept.iter().filter_map(find).map(Arc::clone).collect();
        let is_kept = |version: &Arc<Plugin>| kept.iter().any(|kept| kept.is(&version.digest));
        self.older.extend(others.iter().filter(|version| !is_kept(version)).map(Arc::clone));
        self.older.retain(|version| version.digest != self.current.digest);
        self.older.truncate(kept_max.saturating_sub(1));
    }
}

/// The plugins that are built into the program.
pub(super) use shipped::SHIPPED;

#[expect(unreachable_pub, reason = "written by the build script, for whoever includes it")]
mod shipped {
    include!(concat!(env!("OUT_DIR"), "/shipped.rs"));
}
