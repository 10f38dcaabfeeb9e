//! The models that the gateway serves: what they take, what they cost. Needs no grant.
//!
//! ```
//! use patchbay_sdk::catalog;
//! # patchbay_sdk::testing::kit().catalog(catalog::Model::new("acme/eye").input("image"));
//! let reads_images = catalog::model("acme/eye").is_some_and(|model| model.takes("image"));
//! assert!(reads_images);
//! ```

pub use crate::bindings::base::patchbay::plugin::catalog::Model;
use crate::host;

/// All models that the generation's client may ask, by id.
pub fn models() -> Vec<Model> {
    host::catalog::list()
}

/// A model, by any name that a request may use, variants and suffixes included.
pub fn model(name: &str) -> Option<Model> {
    host::catalog::find(name)
}

impl Model {
    /// A model that reads and writes text, of which nothing else is known. For tests.
    pub fn new(id: &str) -> Self {
        Self {
            id: id.into(),
            name: id.into(),
            created: 0,
            context_length: None,
            completion_max: None,
            inputs: vec!["text".into()],
            outputs: vec!["text".into()],
            parameters: Vec::new(),
            prompt_nanos: None,
            completion_nanos: None,
        }
    }

    /// The same, which also reads this (`image`, `file`, …).
    #[must_use]
    pub fn input(mut self, modality: &str) -> Self {
        self.inputs.push(modality.into());
        self
    }

    /// The same, which also takes this parameter.
    #[must_use]
    pub fn parameter(mut self, name: &str) -> Self {
        self.parameters.push(name.into());
        self
    }

    /// Whether it reads this: `text`, `image`, `file`, `audio`, `video`.
    pub fn takes(&self, modality: &str) -> bool {
        self.inputs.iter().any(|own| own == modality)
    }

    /// Whether it takes this parameter, by OpenRouter's name: `tools`, `structured_outputs`, ….
    pub fn supports(&self, parameter: &str) -> bool {
        self.parameters.iter().any(|own| own == parameter)
    }
}
