//! The traits that an author implements. The host's side of the contract is `wit/hooks.wit`.

use crate::{
    Decision, Delta, Description, Error, Function, Generation, Interest, Outcome, Request,
    ToolCall, ToolOutput, Verdict,
};

/// A plugin. One value lives for one generation, from its first hook to its last; nothing else
/// sees it, so what the hooks share is kept in its fields.
///
/// Only the hooks named in [`export!`](crate::export) are ever called.
pub trait Plugin: Sized + 'static {
    /// What the plugin is. Called once when it is loaded; must call nothing of the host.
    fn describe() -> Description;

    /// Begins a generation, before its first hook. Options are read here:
    /// `generation.options::<MyOptions>()?`.
    ///
    /// # Errors
    /// Fails the hook that was about to run.
    fn new(generation: &Generation) -> Result<Self, Error>;

    /// Before the model is asked (`request`).
    ///
    /// # Errors
    /// The host does what the plugin's kind says.
    fn on_request(&mut self, generation: &Generation, request: Request) -> Result<Decision, Error> {
        let _ = (generation, request);
        Ok(Decision::Pass)
    }

    /// The functions that the plugin offers to the model and runs itself (`tools`); asked once,
    /// after the request hook. `asked` holds the request's tools that a trigger of the plugin names
    /// (`tool=openrouter:datetime`), each as its JSON text; the host takes them out of the request.
    /// Clients write parameters under `parameters` or beside `type`: read both, the former first.
    /// What they say fits the schema ([`Description::options`]).
    ///
    /// # Errors
    /// The host does what the plugin's kind says.
    fn tools(
        &mut self,
        generation: &Generation,
        asked: Vec<String>,
    ) -> Result<Vec<Function>, Error> {
        let _ = (generation, asked);
        Ok(Vec::new())
    }

    /// The model calls one of those functions (`tools`). What is wrong with the call is best told to
    /// the model: [`ToolOutput::error`].
    ///
    /// # Errors
    /// The host does what the plugin's kind says.
    fn call(&mut self, generation: &Generation, call: ToolCall) -> Result<ToolOutput, Error> {
        let _ = generation;
        Ok(ToolOutput::error(&format!("there is no tool `{}`", call.name)))
    }

    /// A choice of the reply begins (`stream`). The returned value sees that choice's deltas.
    ///
    /// # Errors
    /// Reported with the choice's first deltas.
    fn stream(&mut self, generation: &Generation, choice: u16) -> Result<Box<dyn Stream>, Error> {
        let _ = (generation, choice);
        Ok(Box::new(Untouched))
    }

    /// The client has its reply (`audit`). Nothing can be changed any more.
    fn on_complete(&mut self, generation: &Generation, outcome: Outcome) {
        let _ = (generation, outcome);
    }
}

/// One choice of a reply, streamed or not. A reply that is not streamed comes as one batch.
pub trait Stream {
    /// The deltas it wants to see. Others never enter the sandbox, and so overtake what is held.
    /// Asked once.
    fn interest(&self) -> Interest {
        Interest::TEXT
    }

    /// The next deltas.
    ///
    /// # Errors
    /// The host does what the plugin's kind says.
    fn push(&mut self, batch: Vec<Delta>) -> Result<Verdict, Error>;

    /// The clean end: give back what was held with [`Verdict::Emit`].
    ///
    /// # Errors
    /// The host does what the plugin's kind says.
    fn finish(&mut self) -> Result<Verdict, Error> {
        Ok(Verdict::Pass)
    }
}

/// What a plugin has that does not look at replies.
struct Untouched;

impl Stream for Untouched {
    fn interest(&self) -> Interest {
        Interest::empty()
    }

    fn push(&mut self, _: Vec<Delta>) -> Result<Verdict, Error> {
        Ok(Verdict::Pass)
    }
}
