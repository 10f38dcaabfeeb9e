//! Between the generated exports and the author's traits. Exists only inside WebAssembly.

use crate::bindings::base::exports::patchbay::plugin::plugin;
use crate::bindings::base::patchbay::plugin::context;
use crate::bindings::{audit, request, stream, tools};
use crate::log::{self, Level};
use crate::{
    Decision, Delta, Description, Error, Function, Generation, Interest, Outcome, Plugin, Request,
    Stream, ToolCall, ToolOutput, Verdict, panics,
};
use audit::exports::patchbay::plugin::audit_hook;
use request::exports::patchbay::plugin::request_hook;
use std::cell::RefCell;
use std::thread::LocalKey;
use stream::exports::patchbay::plugin::stream_hook;
use tools::exports::patchbay::plugin::tool_hook;

/// The generation's plugin, once its first hook has run.
pub type Slot<P> = RefCell<Option<P>>;

/// Made by `export!`: which plugin, and where its value is kept.
pub trait Exported: 'static {
    /// The author's type.
    type Plugin: Plugin;
    /// Its place. An instance serves one generation, so one place is enough.
    fn slot() -> &'static LocalKey<Slot<Self::Plugin>>;
}

fn with<E: Exported, T>(
    generation: &context::Generation,
    hook: impl FnOnce(&mut E::Plugin, &Generation) -> Result<T, Error>,
) -> Result<T, Error> {
    let generation = Generation::lent(generation);
    E::slot().with_borrow_mut(|slot| {
        let plugin = match slot {
            Some(plugin) => plugin,
            None => {
                std::panic::set_hook(Box::new(panics::report));
                slot.insert(E::Plugin::new(&generation)?)
            }
        };
        hook(plugin, &generation)
    })
}

impl<E: Exported> plugin::Guest for E {
    fn describe() -> Description {
        std::panic::set_hook(Box::new(panics::report));
        E::Plugin::describe()
    }
}

impl<E: Exported> request_hook::Guest for E {
    fn on_request(generation: &context::Generation, request: Request) -> Result<Decision, Error> {
        with::<E, _>(generation, |plugin, generation| plugin.on_request(generation, request))
    }
}

impl<E: Exported> tool_hook::Guest for E {
    fn offer(generation: &context::Generation, asked: Vec<String>) -> Result<Vec<Function>, Error> {
        with::<E, _>(generation, |plugin, generation| plugin.tools(generation, asked))
    }

    fn call(generation: &context::Generation, call: ToolCall) -> Result<ToolOutput, Error> {
        with::<E, _>(generation, |plugin, generation| plugin.call(generation, call))
    }
}

impl<E: Exported> audit_hook::Guest for E {
    fn on_complete(generation: &context::Generation, outcome: Outcome) {
        let done = with::<E, _>(generation, |plugin, generation| {
            plugin.on_complete(generation, outcome);
            Ok(())
        });
        if let Err(error) = done {
            log::write(Level::Error, &error.to_string(), &[]);
        }
    }
}

impl<E: Exported> stream_hook::Guest for E {
    type Transformer = Transformer<E>;
}

/// One choice's stream. A failed beginning is kept, since a constructor cannot fail.
pub struct Transformer<E> {
    stream: RefCell<Result<Box<dyn Stream>, Error>>,
    of: std::marker::PhantomData<E>,
}

impl<E: Exported> stream_hook::GuestTransformer for Transformer<E> {
    fn new(generation: &context::Generation, choice: u16) -> Self {
        let stream =
            with::<E, _>(generation, |plugin, generation| plugin.stream(generation, choice));
        Self { stream: RefCell::new(stream), of: std::marker::PhantomData }
    }

    fn interest(&self) -> Interest {
        // A stream that failed to begin wants everything, so that the first delta reports it.
        self.stream.borrow().as_ref().map_or(Interest::all(), |stream| stream.interest())
    }

    fn push(&self, batch: Vec<Delta>) -> Result<Verdict, Error> {
        self.stream.borrow_mut().as_mut().map_err(|error| error.clone())?.push(batch)
    }

    fn finish(&self) -> Result<Verdict, Error> {
        self.stream.borrow_mut().as_mut().map_err(|error| error.clone())?.finish()
    }
}
