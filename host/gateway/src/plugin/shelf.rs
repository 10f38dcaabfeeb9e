//! The writers' side of the registry: loads versions, and changes the folder and what serves
//! together, so that a restart serves the same.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use parking_lot::Mutex;

use super::capability::Environment;
use super::cases;
use super::compile::{self, Compiler, Workshop};
use super::egress::{Gate, GateConfig};
use super::engine::Sandboxes;
use super::folder::Folder;
use super::grant::Grants;
use super::load::{self, LoadError, Loader, Origin, Plugin};
use super::outside::{Outside, Services, World};
use super::registry::{self, Registry, Role};
use crate::config::{Config, PluginLimits};

/// What writers share.
pub(super) struct Shelf {
    workshop: Workshop,
    sandboxes: Sandboxes,
    gate: Arc<Gate>,
    indexes: Arc<index::Indexes>,
    pub(super) config: Config,
    /// Where what is installed is.
    folder: Option<Folder>,
    /// What was granted there.
    granted: ArcSwap<BTreeMap<String, Vec<String>>>,
    registry: ArcSwap<Registry>,
    /// Held while the next registry is built and the folder is changed, never while a plugin is
    /// compiled.
    writing: Mutex<()>,
    environments: Mutex<HashMap<String, Arc<Environment>>>,
    installed: AtomicU64,
}

impl Shelf {
    /// The engine, with nothing loaded.
    ///
    /// # Errors
    /// When the engine does not start.
    pub(super) fn new(
        config: &Config,
        compiler: Compiler,
        folder: Option<Folder>,
    ) -> Result<Self, anyhow::Error> {
        let gate = GateConfig {
            connect: Duration::from_millis(config.upstream.connect_ms),
            ca_file: config.upstream.ca_file.as_deref(),
        };
        Ok(Self {
            workshop: Workshop::new(&config.plugins, compiler)?,
            sandboxes: Sandboxes::new(config)?,
            gate: Arc::new(Gate::new(&gate)?),
            indexes: Arc::new(registry::indexes(&config.index)),
            config: config.clone(),
            folder,
            granted: ArcSwap::default(),
            registry: ArcSwap::from_pointee(Registry::default()),
            writing: Mutex::new(()),
            environments: Mutex::default(),
            installed: AtomicU64::new(0),
        })
    }

    /// See [`registry::Plugins::snapshot`].
    pub(super) fn snapshot(&self) -> Arc<Registry> {
        self.registry.load_full()
    }

    /// See [`registry::Plugins::outside`].
    pub(super) fn outside(&self, services: Arc<dyn Services>) -> Outside {
        let (gate, indexes) = (Arc::clone(&self.gate), Arc::clone(&self.indexes));
        Outside::World(Arc::new(World { gate, indexes, services }))
    }

    /// See [`registry::Plugins::install`].
    pub(super) fn install(
        &self,
        bytes: &[u8],
        origin: Origin,
        expected: Option<&str>,
        role: Role,
    ) -> Result<Arc<Plugin>, LoadError> {
        let is_lasting = origin == Origin::Upload && role == Role::Current;
        let digest = load::digest(bytes);
        let same = self.registry.load().list().find(|it| it.digest == digest).map(Arc::clone);
        let plugin = same.map_or_else(|| self.load(bytes, origin), Ok)?;
        let id = plugin.description.id.as_str();
        if let Some(expected) = expected.filter(|expected| *expected != id) {
            let reason = format!("it says that it is `{id}`, not `{expected}`");
            return Err(LoadError::new("description", reason));
        }
        let (installed, is_new) = self.change(|registry| {
            let current = registry.find(id).filter(|current| current.digest == digest);
            let (version, is_new) = (Arc::clone(current.unwrap_or(&plugin)), current.is_none());
            if is_new {
                self.grant(&version)?;
                registry.add(&version, role, self.config.plugins.generations_kept)?;
            }
            if is_lasting && version.origin != Origin::Shipped {
                self.write(registry, &version)?;
            }
            Ok((version, is_new))
        })?;
        if is_new {
            installed.announce();
        }
        self.load_kept(id);
        Ok(installed)
    }

    /// See [`registry::Plugins::promote`].
    pub(super) fn promote(&self, id: &str) -> Result<Arc<Plugin>, LoadError> {
        let kept_max = self.config.plugins.generations_kept;
        self.change(|registry| {
            let line = registry.lines.get_mut(id).ok_or_else(|| unknown(id))?;
            let trial = line.trial.take().ok_or_else(|| {
                LoadError::new("find", format!("no version of `{id}` is on trial"))
            })?;
            line.add(Arc::clone(&trial.plugin), kept_max);
            self.write(registry, &trial.plugin)?;
            Ok(trial.plugin)
        })
    }

    /// See [`registry::Plugins::remove`].
    pub(super) fn remove(&self, id: &str) -> Result<(), LoadError> {
        self.change(|registry| {
            let line = registry.lines.get_mut(id).ok_or_else(|| unknown(id))?;
            match line.shipped.clone() {
                Some(shipped) if shipped.digest == line.current.digest => {
                    let fix = format!("set `enabled = false` under [plugin.{id}]");
                    return Err(LoadError::new("find", format!("`{id}` is shipped; {fix}")));
                }
                Some(shipped) => line.restore(shipped),
                None => drop(registry.lines.remove(id)),
            }
            self.delete(registry, id)
        })
    }

    /// See [`registry::Plugins::rollback`].
    pub(super) fn rollback(&self, id: &str) -> Result<Arc<Plugin>, LoadError> {
        self.load_kept(id);
        let back = self.change(|registry| {
            let line = registry.lines.get_mut(id).ok_or_else(|| unknown(id))?;
            if line.trial.take().is_some() {
                return Ok(Arc::clone(&line.current));
            }
            if line.older.is_empty() {
                let reason = format!("no older version of `{id}` is kept");
                return Err(LoadError::new("find", reason));
            }
            line.current = line.older.remove(0);
            let back = Arc::clone(&line.current);
            match (&self.folder, back.origin == Origin::Shipped) {
                (_, true) => self.delete(registry, id)?,
                (Some(folder), false) => {
                    let before = place(registry, folder, id)?;
                    let file = folder.put_back(&before, id, &back.wasm)?;
                    registry.let_go(&before);
                    registry.hold(&file, &back);
                }
                (None, false) => {}
            }
            back.breaker.mend();
            Ok(back)
        })?;
        Ok(back)
    }

    /// Loads a file of the folder that changed, and what is kept of its plugin: the command line
    /// may have installed several versions since.
    pub(super) fn follow_file(&self, file: &Path) {
        self.install_file(file);
        if let Some(id) = self.snapshot().plugin_of(file) {
            self.load_kept(id);
        }
    }

    /// Loads a file of the folder, and remembers when it is refused.
    pub(super) fn install_file(&self, file: &Path) {
        let Err(error) = self.load_file(file) else { return };
        let _ = self.change(|registry| {
            // What it held may have been replaced while it was compiled.
            let now = std::fs::read(file).map(|bytes| load::digest(&bytes));
            if !now.is_ok_and(|digest| registry.holds(file, &digest)) {
                tracing::error!(file = %file.display(), %error, "a plugin was refused");
                registry.refused.insert(file.to_owned(), error);
            }
            Ok(())
        });
    }

    fn load_file(&self, file: &Path) -> Result<(), LoadError> {
        let bytes = self.read(file)?;
        let digest = load::digest(&bytes);
        let loaded = self.registry.load().all().find(|it| it.digest == digest).map(Arc::clone);
        let plugin = loaded.map_or_else(|| self.load(&bytes, Origin::Dir(file.to_owned())), Ok)?;
        let next = self.change(|registry| {
            // Another version may have been written since, or none be left. Its event follows.
            let now = std::fs::read(file).map(|bytes| load::digest(&bytes));
            if !now.is_ok_and(|now| now == digest) {
                return Ok(None);
            }
            self.take(registry, file, &plugin)
        })?;
        if let Some(next) = next {
            self.install_file(&next);
        }
        Ok(())
    }

    /// Makes what a file holds the current version, unless a newer file holds the plugin too.
    /// Returns the file to be loaded in the place of this one, where that held another plugin.
    fn take(
        &self,
        registry: &mut Registry,
        file: &Path,
        plugin: &Arc<Plugin>,
    ) -> Result<Option<PathBuf>, LoadError> {
        let (id, digest) = (plugin.description.id.as_str(), plugin.digest.as_str());
        let next = match registry.plugin_of(file) {
            Some(other) if other != id => registry.release(file),
            _ => None,
        };
        let before = registry.file(id).map(Path::to_owned);
        registry.hold(file, plugin);
        let newest = registry.file(id).map(Path::to_owned);
        let other = [&before, &newest].into_iter().flatten().find(|other| *other != file);
        if let Some(other) = other {
            let (file, other) = (file.display(), other.display());
            tracing::warn!(id, %file, %other, "two files hold a plugin; the newer one serves");
        }
        if newest.as_deref() != Some(file) {
            return Ok(next);
        }
        // Of a file that was overwritten, this is the only copy.
        let mut old = None;
        match (registry.lines.get_mut(id), &self.folder) {
            (Some(line), _) if line.current.digest == digest => return Ok(next),
            (Some(line), Some(folder)) if before.as_deref() == Some(file) => {
                let is_moved = !folder.kept(id).iter().any(|kept| kept.is(digest));
                if is_moved && line.return_to(digest) {
                    plugin.announce();
                    return Ok(next);
                }
                old = Some((folder, Arc::clone(&line.current)));
            }
            _ => {}
        }
        self.grant(plugin)?;
        registry.add(plugin, Role::Current, self.config.plugins.generations_kept)?;
        plugin.breaker.mend();
        if let Some((folder, old)) = old {
            let kept = folder.unkeep(id, digest).and_then(|()| keep(folder, &old));
            if let Err(error) = kept {
                tracing::warn!(id, %error, "the version before can't be kept in the folder");
            }
        }
        plugin.announce();
        Ok(next)
    }

    /// Drops what came from a file that is gone.
    pub(super) fn forget_file(&self, file: &Path) {
        let next = self.change(|registry| {
            // One that is there again has an event of its own.
            if file.exists() {
                return Ok(None);
            }
            registry.refused.remove(file);
            Ok(registry.release(file))
        });
        if let Ok(Some(next)) = next {
            self.install_file(&next);
        }
    }

    /// Loads the versions of all plugins that the folder keeps, for going back and for when the
    /// current ones break.
    pub(super) fn load_all_kept(&self) {
        for plugin in self.snapshot().list() {
            self.load_kept(&plugin.description.id);
        }
    }

    /// The same for one plugin. Those that are loaded are not loaded again.
    pub(super) fn load_kept(&self, id: &str) {
        let (Some(folder), registry) = (&self.folder, self.snapshot()) else { return };
        // What is kept of a plugin whose file is gone is no version of it until a file returns.
        let Some(line) = registry.lines.get(id).filter(|_| registry.file(id).is_some()) else {
            return;
        };
        let mut loaded = Vec::new();
        for kept in folder.kept(id).into_iter().filter(|kept| !line.has(kept)) {
            let bytes = self.read(&kept.path);
            let origin = Origin::Dir(kept.path.clone());
            match bytes.and_then(|bytes| self.load(&bytes, origin)) {
                Ok(plugin) if plugin.description.id == id => loaded.push(plugin),
                Ok(plugin) => {
                    let other = plugin.description.id.as_str();
                    tracing::warn!(id, other, "a kept version is another plugin's");
                }
                Err(error) => tracing::warn!(id, %error, "a kept version can't be loaded"),
            }
        }
        if loaded.is_empty() {
            return;
        }
        let _ = self.change(|registry| {
            loaded.iter().try_for_each(|plugin| self.grant(plugin))?;
            if let Some(line) = registry.lines.get_mut(id) {
                line.arrange(&folder.kept(id), &loaded, self.config.plugins.generations_kept);
            }
            Ok(())
        });
    }

    /// Reads what was granted in the folder, for the versions that are loaded too. Where that is
    /// broken, the grants stay as they are.
    pub(super) fn follow_grants(&self) {
        let Some(folder) = &self.folder else { return };
        let file = folder.grants_file();
        let followed = folder.grants().and_then(|granted| {
            self.change(|registry| {
                let grants = |plugin: &Arc<Plugin>| self.grants(plugin, &granted);
                let all: Vec<_> = registry.all().map(grants).collect::<Result<_, _>>()?;
                for (plugin, grants) in registry.all().zip(all) {
                    plugin.environment.grants.store(Arc::new(grants));
                }
                registry.refused.remove(&file);
                self.granted.store(Arc::new(granted));
                Ok(())
            })
        });
        if let Err(error) = followed {
            tracing::error!(file = %file.display(), %error, "grants were refused");
            let _ = self.change(|registry| {
                registry.refused.insert(file, error);
                Ok(())
            });
        }
    }

    /// From bytes to a version that could serve. Slow.
    fn load(&self, bytes: &[u8], origin: Origin) -> Result<Arc<Plugin>, LoadError> {
        let plugin = self.load_untested(bytes, origin)?;
        cases::check(&plugin, &self.config.plugins)?;
        Ok(plugin)
    }

    /// The same without its cases.
    pub(super) fn load_untested(
        &self,
        bytes: &[u8],
        origin: Origin,
    ) -> Result<Arc<Plugin>, LoadError> {
        let Self { workshop, sandboxes, config, .. } = self;
        let loader = Loader { workshop, sandboxes, config };
        let generation = self.installed.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        let environment = |id: &str, limits: &_| self.environment(id, limits);
        Ok(Arc::new(loader.load(bytes, origin, generation, &environment)?))
    }

    /// A file that is too large is not even read.
    fn read(&self, file: &Path) -> Result<Vec<u8>, LoadError> {
        let unreadable = |error: std::io::Error| LoadError::new("read", error.to_string());
        let bytes = std::fs::metadata(file).map_err(unreadable)?.len();
        let bytes_max = self.config.plugins.wasm_bytes_max;
        if usize::try_from(bytes).map_or(true, |bytes| bytes > bytes_max) {
            return Err(compile::too_large(
                usize::try_from(bytes).unwrap_or(usize::MAX),
                bytes_max,
            ));
        }
        std::fs::read(file).map_err(unreadable)
    }

    /// Makes a version the plugin's file.
    fn write(&self, registry: &mut Registry, plugin: &Plugin) -> Result<(), LoadError> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let id = plugin.description.id.as_str();
        let before = place(registry, folder, id)?;
        let file = match registry.refused.contains_key(&before) {
            // What was refused is nothing to return to.
            true => {
                registry.kept(id).first().map_or(Ok(()), |old| keep(folder, old))?;
                folder.put_back(&before, id, &plugin.wasm)?
            }
            false => folder.install_over(&before, id, &plugin.wasm)?,
        };
        registry.let_go(&before);
        registry.hold(&file, plugin);
        Ok(())
    }

    /// Deletes a plugin's files.
    fn delete(&self, registry: &mut Registry, id: &str) -> Result<(), LoadError> {
        let Some(folder) = &self.folder else { return Ok(()) };
        place(registry, folder, id)?;
        let files = registry.files(id);
        folder.remove(id, &files)?;
        registry.let_go(&folder.file(id));
        files.iter().for_each(|file| registry.let_go(file));
        Ok(())
    }

    /// An environment for another version of a plugin.
    fn environment(&self, id: &str, limits: &PluginLimits) -> Arc<Environment> {
        let mut environments = self.environments.lock();
        let made = || Environment::new(id, limits);
        environments.entry(id.to_owned()).or_insert_with(made).of_version()
    }

    /// Gives a version what it wants and was granted.
    fn grant(&self, plugin: &Plugin) -> Result<(), LoadError> {
        let grants = self.grants(plugin, &self.granted.load())?;
        plugin.environment.grants.store(Arc::new(grants));
        Ok(())
    }

    /// What a version wants and was granted in the configuration and in the folder.
    fn grants(
        &self,
        plugin: &Plugin,
        granted: &BTreeMap<String, Vec<String>>,
    ) -> Result<Grants, LoadError> {
        let about = &plugin.description;
        let table = self.config.plugin.get(&about.id);
        let own = table.and_then(|table| table.grant.clone());
        // What the program brings along was read by who wrote the program.
        let shipped = || match plugin.origin {
            Origin::Shipped => about.capabilities.clone(),
            Origin::Dir(_) | Origin::Upload => Vec::new(),
        };
        let mut all = own.unwrap_or_else(shipped);
        all.extend(granted.get(&about.id).into_iter().flatten().cloned());
        Grants::new(&about.id, &about.capabilities, &all, table)
            .map_err(|reason| LoadError::new("grant", reason))
    }

    /// Builds the next registry and swaps it in, unless `f` refuses.
    fn change<T>(
        &self,
        f: impl FnOnce(&mut Registry) -> Result<T, LoadError>,
    ) -> Result<T, LoadError> {
        let _writing = self.writing.lock();
        let mut next = Registry::clone(&self.registry.load());
        let result = f(&mut next)?;
        next.reindex();
        self.registry.store(Arc::new(next));
        Ok(result)
    }
}

/// The file that a plugin is in, or will be.
fn place(registry: &Registry, folder: &Folder, id: &str) -> Result<PathBuf, LoadError> {
    let own = folder.file(id);
    if registry.plugin_of(&own).is_some_and(|other| other != id) {
        let reason = format!("{} holds another plugin: give that file its name", own.display());
        return Err(LoadError::new("write", reason));
    }
    Ok(registry.file(id).map_or(own, Path::to_owned))
}

/// Keeps a version in the folder. A shipped one is at hand anyway.
fn keep(folder: &Folder, old: &Plugin) -> Result<(), LoadError> {
    match old.origin {
        Origin::Shipped => Ok(()),
        Origin::Dir(_) | Origin::Upload => folder.keep(&old.description.id, &old.digest, &old.wasm),
    }
}

fn unknown(id: &str) -> LoadError {
    LoadError::new("find", format!("there is no plugin `{}`", id.escape_debug()))
}
