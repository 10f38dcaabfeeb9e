//! A gateway with a model for every upstream dialect and feature that can be served, named
//! `{dialect}/{feature}`, in front of one double.

use serde_json::Value;

use crate::harness::{Double, Gateway};
use crate::matrix::Features;
use crate::upstream::{Upstream, folder, text};

/// What is asked of a client, in the order of the matrix.
pub(crate) const FEATURES: Features = &[
    ("chat", &[false, true]),
    ("tools", &[false, true]),
    ("structured", &[false, true]),
    ("reasoning", &[false, true]),
    ("image", &[false, true]),
    ("file", &[false, true]),
    ("embeddings", &[false]),
    ("error", &[false, true]),
    ("abort", &[true]),
];

/// Everything that runs.
pub(crate) struct Stage {
    pub(crate) gateway: Gateway,
    pub(crate) double: Double,
    pub(crate) upstreams: Vec<Upstream>,
}

impl Stage {
    pub(crate) async fn set() -> Self {
        let double = Double::start();
        let upstreams = Upstream::all();
        let mut config = String::new();
        for upstream in &upstreams {
            for (feature, _) in FEATURES {
                if upstream.obstacle(feature).is_none() {
                    config.push_str(&upstream.serve(feature, &double).await);
                }
            }
        }
        Self { gateway: Gateway::start(&config).await, double, upstreams }
    }

    /// Why a surface's path can't be asked; `None` when it answers.
    pub(crate) async fn obstacle(&self, path: &str) -> Option<String> {
        let url = format!("{}{path}", self.gateway.url);
        let call = crate::harness::http().post(url).bearer_auth(&self.gateway.key).body("{}");
        let said = call.send().await.unwrap().text().await.unwrap();
        said.contains("There is no /").then(|| format!("the gateway does not serve {path} yet"))
    }
}

/// What every reply must say, whoever serves it.
pub(crate) fn expected() -> Value {
    serde_json::from_str(&text(&folder("expected.json"))).unwrap()
}
