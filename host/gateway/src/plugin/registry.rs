//! What is loaded. Readers take a snapshot and keep it for a whole generation; writers build the
//! next registry and swap it in whole, so nobody ever sees half a change.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use parking_lot::Mutex;

use super::capability::Environment;
use super::engine::Sandbox;
use super::load::{self, LoadError, Loader, Origin, Plugin};
use super::watch::Watch;
use crate::config::Config;

/// All plugins, and the way to change them.
pub(crate) struct Plugins {
    shelf: Arc<Shelf>,
    /// The folder is watched for as long as this lives.
    _watch: Option<Watch>,
}

impl Plugins {
    /// Starts the engine, loads the shipped plugins and those of the folder, and watches it. Slow:
    /// it compiles.
    ///
    /// # Errors
    /// When the engine or the folder can't be used. A plugin of the folder that is broken is
    /// logged and remembered instead.
    pub(crate) fn start(config: &Config) -> Result<Self, anyhow::Error> {
        let mut plugins = Self::empty(config)?;
        for (id, bytes) in shipped::SHIPPED {
            let loaded = plugins.install(bytes, Origin::Shipped);
            loaded.map_err(|error| anyhow::anyhow!("the shipped plugin `{id}` was {error}"))?;
        }
        if !config.plugins.dir.as_os_str().is_empty() {
            plugins._watch = Some(Watch::start(Arc::clone(&plugins.shelf), &config.plugins.dir)?);
        }
        Ok(plugins)
    }

    /// The engine, with nothing loaded.
    ///
    /// # Errors
    /// When the engine does not start.
    pub(crate) fn empty(config: &Config) -> Result<Self, anyhow::Error> {
        let shelf = Shelf {
            sandbox: Sandbox::new(&config.plugins)?,
            config: config.clone(),
            registry: ArcSwap::from_pointee(Registry::default()),
            writing: Mutex::new(()),
            environments: Mutex::default(),
            installed: AtomicU64::new(0),
        };
        Ok(Self { shelf: Arc::new(shelf), _watch: None })
    }

    /// The plugins as they are now.
    pub(crate) fn snapshot(&self) -> Arc<Registry> {
        self.shelf.registry.load_full()
    }

    /// Loads a file and makes it the current version of the plugin that it says it is. Slow: it
    /// compiles. The same file again changes nothing.
    ///
    /// # Errors
    /// Names the step that refused it. What was loaded before stays.
    pub(crate) fn install(&self, bytes: &[u8], origin: Origin) -> Result<Arc<Plugin>, LoadError> {
        self.shelf.install(bytes, origin, None)
    }

    /// Loads an upload that must be the plugin of that name.
    ///
    /// # Errors
    /// As [`Self::install`], and when it says that it is another one.
    pub(crate) fn upload(&self, id: &str, bytes: &[u8]) -> Result<Arc<Plugin>, LoadError> {
        self.shelf.install(bytes, Origin::Upload, Some(id))
    }

    /// Takes a plugin away. Where a shipped one was replaced, that one returns.
    ///
    /// # Errors
    /// When there is none, or only the shipped one.
    pub(crate) fn remove(&self, id: &str) -> Result<(), LoadError> {
        self.shelf.change(|registry| {
            let line = registry.lines.get_mut(id).ok_or_else(|| unknown(id))?;
            match line.shipped.clone() {
                Some(shipped) if shipped.digest == line.current.digest => {
                    let fix = format!("set `enabled = false` under [plugin.{id}]");
                    Err(LoadError::new("find", format!("`{id}` is shipped; {fix}")))
                }
                Some(shipped) => {
                    line.older.clear();
                    line.current = shipped;
                    Ok(())
                }
                None => {
                    registry.lines.remove(id);
                    Ok(())
                }
            }
        })
    }

    /// Makes the version before the current one current again.
    ///
    /// # Errors
    /// When there is no such plugin or nothing before it.
    pub(crate) fn rollback(&self, id: &str) -> Result<Arc<Plugin>, LoadError> {
        self.shelf.change(|registry| {
            let line = registry.lines.get_mut(id).ok_or_else(|| unknown(id))?;
            if line.older.is_empty() {
                let reason = format!("no older version of `{id}` is kept");
                return Err(LoadError::new("find", reason));
            }
            line.current = line.older.remove(0);
            Ok(Arc::clone(&line.current))
        })
    }
}

fn unknown(id: &str) -> LoadError {
    LoadError::new("find", format!("there is no plugin `{}`", id.escape_debug()))
}

/// One state of what is loaded. Immutable once it is swapped in.
#[derive(Debug, Clone, Default)]
pub(crate) struct Registry {
    lines: BTreeMap<String, Line>,
    /// Files of the folder that were refused, by path.
    refused: BTreeMap<PathBuf, LoadError>,
}

/// The versions of one plugin.
#[derive(Debug, Clone)]
struct Line {
    current: Arc<Plugin>,
    /// Newest first.
    older: Vec<Arc<Plugin>>,
    /// Returns when what replaced it is removed.
    shipped: Option<Arc<Plugin>>,
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

    /// The plugin that a model suffix enables.
    pub(crate) fn by_suffix(&self, suffix: &str) -> Option<&Arc<Plugin>> {
        self.list().find(|plugin| plugin.description.suffixes.iter().any(|own| own == suffix))
    }

    /// Every plugin's current version, by id.
    pub(crate) fn list(&self) -> impl Iterator<Item = &Arc<Plugin>> {
        self.lines.values().map(|line| &line.current)
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

    fn add(&mut self, plugin: Arc<Plugin>, kept_max: usize) {
        let shipped = (plugin.origin == Origin::Shipped).then(|| Arc::clone(&plugin));
        let Some(line) = self.lines.get_mut(&plugin.description.id) else {
            let line = Line { current: Arc::clone(&plugin), older: Vec::new(), shipped };
            self.lines.insert(plugin.description.id.clone(), line);
            return;
        };
        let before = std::mem::replace(&mut line.current, plugin);
        line.older.insert(0, before);
        line.older.truncate(kept_max);
        line.shipped = shipped.or(line.shipped.take());
    }
}

/// What writers share.
pub(super) struct Shelf {
    sandbox: Sandbox,
    config: Config,
    registry: ArcSwap<Registry>,
    /// Held while the next registry is built, never while a plugin is compiled.
    writing: Mutex<()>,
    environments: Mutex<HashMap<String, Arc<Environment>>>,
    installed: AtomicU64,
}

impl Shelf {
    /// See [`Plugins::install`].
    pub(super) fn install(
        &self,
        bytes: &[u8],
        origin: Origin,
        expected: Option<&str>,
    ) -> Result<Arc<Plugin>, LoadError> {
        let check = |plugin: &Plugin| match expected {
            Some(id) if id != plugin.description.id => {
                let own = &plugin.description.id;
                let reason = format!("it says that it is `{own}`, not `{id}`");
                Err(LoadError::new("description", reason))
            }
            _ => Ok(()),
        };
        let digest = load::digest(bytes);
        if let Some(same) = self.registry.load().list().find(|plugin| plugin.digest == digest) {
            return check(same).map(|()| Arc::clone(same));
        }
        let loader = Loader { sandbox: &self.sandbox, config: &self.config };
        let generation = self.installed.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        let environment = |id: &str| self.environment(id);
        let plugin = Arc::new(loader.load(bytes, origin, generation, &environment)?);
        check(&plugin)?;
        self.change(|registry| {
            let taken = plugin.description.suffixes.iter().find_map(|suffix| {
                let other = registry.by_suffix(suffix)?;
                let is_other = other.description.id != plugin.description.id;
                is_other.then(|| (suffix, &other.description.id))
            });
            if let Some((suffix, other)) = taken {
                let reason = format!("suffix `{suffix}` belongs to `{other}`");
                return Err(LoadError::new("description", reason));
            }
            registry.add(Arc::clone(&plugin), self.config.plugins.generations_kept);
            Ok(())
        })?;
        let about = &plugin.description;
        tracing::info!(
            id = about.id,
            version = about.version,
            kind = about.kind.as_str(),
            origin = plugin.origin.as_str(),
            digest = plugin.digest,
            "plugin installed"
        );
        Ok(plugin)
    }

    /// Loads a file of the folder, and remembers when it is refused.
    pub(super) fn install_file(&self, file: &Path) {
        let origin = Origin::Dir(file.to_owned());
        let bytes = self.read(file);
        match bytes.and_then(|bytes| self.install(&bytes, origin, None)) {
            Ok(plugin) => {
                let _ = self.change(|registry| {
                    registry.refused.remove(file);
                    registry.drop_others_of(file, &plugin.description.id);
                    Ok(())
                });
            }
            Err(error) => {
                tracing::error!(file = %file.display(), %error, "a plugin was refused");
                let _ = self.change(|registry| {
                    registry.refused.insert(file.to_owned(), error);
                    Ok(())
                });
            }
        }
    }

    /// Drops what came from a file that is gone.
    pub(super) fn forget_file(&self, file: &Path) {
        let _ = self.change(|registry| {
            registry.refused.remove(file);
            registry.drop_others_of(file, "");
            Ok(())
        });
    }

    /// A file that is too large is not even read.
    fn read(&self, file: &Path) -> Result<Vec<u8>, LoadError> {
        let unreadable = |error: std::io::Error| LoadError::new("read", error.to_string());
        let bytes = std::fs::metadata(file).map_err(unreadable)?.len();
        let bytes_max = self.config.plugins.wasm_bytes_max;
        if usize::try_from(bytes).map_or(true, |bytes| bytes > bytes_max) {
            let reason = format!("{bytes} bytes; plugins.wasm_bytes_max allows {bytes_max}");
            return Err(LoadError::new("size", reason));
        }
        std::fs::read(file).map_err(unreadable)
    }

    fn environment(&self, id: &str) -> Arc<Environment> {
        let mut environments = self.environments.lock();
        let made = || Environment::new(id, &self.config.plugins);
        Arc::clone(environments.entry(id.to_owned()).or_insert_with(made))
    }

    /// Builds the next registry and swaps it in, unless `f` refuses.
    fn change<T>(
        &self,
        f: impl FnOnce(&mut Registry) -> Result<T, LoadError>,
    ) -> Result<T, LoadError> {
        let _writing = self.writing.lock();
        let mut next = Registry::clone(&self.registry.load());
        let result = f(&mut next)?;
        self.registry.store(Arc::new(next));
        Ok(result)
    }
}

impl Registry {
    /// Drops the plugins that came from this file, but for `id`.
    fn drop_others_of(&mut self, file: &Path, id: &str) {
        let is_from = |plugin: &Plugin| matches!(&plugin.origin, Origin::Dir(from) if from == file);
        self.lines.retain(|own, line| {
            if own == id || !is_from(&line.current) {
                return true;
            }
            tracing::info!(id = own, file = %file.display(), "plugin removed with its file");
            match line.shipped.clone() {
                Some(shipped) => {
                    line.older.clear();
                    line.current = shipped;
                    true
                }
                None => false,
            }
        });
    }
}

/// The plugins that are built into the program.
#[expect(unreachable_pub, reason = "written by the build script, for whoever includes it")]
mod shipped {
    include!(concat!(env!("OUT_DIR"), "/shipped.rs"));
}
