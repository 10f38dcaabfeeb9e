//! Layers ("optional content"), which a document may have switched off.

use hayro_syntax::Pdf;
use hayro_syntax::object::{Array, Dict, MaybeRef, Name, ObjRef};
use std::collections::HashSet;

/// Which layers are off.
#[derive(Debug, Default)]
pub(crate) struct Layers {
    off: HashSet<ObjRef>,
}

impl Layers {
    pub(crate) fn read(pdf: &Pdf) -> Self {
        let Some(root) = pdf.xref().get::<Dict<'_>>(pdf.xref().root_id()) else {
            return Self::default();
        };
        let config = root.get::<Dict<'_>>(b"OCProperties").and_then(|all| all.get(b"D"));
        let off = config.and_then(|config: Dict<'_>| config.get::<Array<'_>>(b"OFF"));
        let off = off.iter().flat_map(Array::raw_iter).filter_map(|item| match item {
            MaybeRef::Ref(layer) => Some(layer),
            MaybeRef::NotRef(_) => None,
        });
        Self { off: off.take(LAYERS_MAX).collect() }
    }

    /// Whether the layer, or the group of layers, is off.
    pub(crate) fn hides(&self, layer: Option<ObjRef>) -> bool {
        layer.is_some_and(|layer| self.off.contains(&layer))
    }

    /// Whether something that may say its layer is to be seen.
    pub(crate) fn shows(&self, dict: &Dict<'_>) -> bool {
        if self.off.is_empty() {
            return true;
        }
        if self.hides(dict.get_ref(b"OC")) {
            return false;
        }
        let group = dict.get::<Dict<'_>>(b"OC");
        let Some(group) = group.filter(|group| {
            group.get::<Name<'_>>(b"Type").is_some_and(|kind| kind.as_ref() == b"OCMD")
        }) else {
            return true;
        };
        if group.get_ref(b"OCGs").is_some_and(|layer| self.off.contains(&layer)) {
            return false;
        }
        let Some(layers) = group.get::<Array<'_>>(b"OCGs") else { return true };
        let mut layers = layers.raw_iter().filter_map(|item| match item {
            MaybeRef::Ref(layer) => Some(layer),
            MaybeRef::NotRef(_) => None,
        });
        let Some(first) = layers.next() else { return true };
        !self.off.contains(&first) || layers.any(|layer| !self.off.contains(&layer))
    }
}

const LAYERS_MAX: usize = 10_000;
