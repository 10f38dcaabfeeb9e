//! What can be served: the shipped providers and models, the operator's changes to them, and the
//! credentials that are at hand. Built once; a model is ready when an endpoint of it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context;
use ledger::Price;
use wire::{Auth, Dialect, Model, Quirks};

use super::address::{self, Address};
use super::{Config, ProviderTable, Secret};

/// Everything that can be served.
#[derive(Debug, Default)]
pub struct Catalog {
    /// Every model, by id, ready or not.
    pub models: BTreeMap<String, Arc<Served>>,
    /// Every provider, by slug.
    pub providers: BTreeMap<String, Arc<Provider>>,
}

/// A model with the endpoints that serve it here.
#[derive(Debug)]
pub struct Served {
    /// What it is.
    pub model: Model,
    /// Its endpoints, in order of preference, ready or not.
    pub endpoints: Vec<Arc<Endpoint>>,
}

impl Served {
    /// The endpoints that can be asked.
    pub fn ready(&self) -> impl Iterator<Item = &Arc<Endpoint>> {
        self.endpoints.iter().filter(|endpoint| endpoint.obstacle.is_none())
    }
}

/// A provider's offer of a model.
#[derive(Debug)]
pub struct Endpoint {
    /// Who serves it.
    pub provider: Arc<Provider>,
    /// The upstream's own name of the model.
    pub model: String,
    /// Most tokens read and written together.
    pub context_length: u32,
    /// Most tokens written.
    pub max_output_tokens: Option<u32>,
    /// How it is told to think.
    pub reasoning: wire::ReasoningStyle,
    /// The efforts that the model knows; empty: all.
    pub efforts: Vec<wire::Effort>,
    /// What is odd about its provider, and the chat template of its own.
    pub quirks: Quirks,
    /// What it costs; none: unknown.
    pub price: Option<Price>,
    /// The offer as its data says it: quantization, variant, region and what else is told of it.
    pub offer: wire::Endpoint,
    /// Why it can't be asked, with the fix.
    pub obstacle: Option<String>,
}

impl Endpoint {
    /// Its name in routing preferences: the provider's slug, and what tells it from the provider's
    /// other offers (`deepinfra/turbo`).
    pub fn tag(&self) -> String {
        match &self.offer.variant {
            Some(variant) => format!("{}/{variant}", self.provider.slug),
            None => self.provider.slug.clone(),
        }
    }

    /// Whether it is a tier of service that has to be asked for by its full tag.
    pub fn is_tier(&self) -> bool {
        matches!(self.offer.variant.as_deref(), Some("flex" | "priority" | "ultrafast"))
    }
}

/// A provider with its credential.
pub struct Provider {
    /// Name in routing preferences.
    pub slug: String,
    /// Display name.
    pub name: String,
    /// How it is spoken to.
    pub dialect: &'static dyn Dialect,
    /// Where paths begin; `{model}` stands for the upstream's name of the model.
    pub base_url: String,
    /// Sent behind every path.
    pub query: Vec<(String, String)>,
    /// Where the provider computes, for signatures.
    pub region: Option<String>,
    /// How the credential is shown.
    pub auth: Auth,
    /// The credential, where one is needed and at hand.
    pub credential: Option<Secret>,
    /// Whether closing the connection stops generation and billing.
    pub cancel: bool,
    /// What is odd about it.
    pub quirks: Quirks,
    /// What it does with what it is sent.
    pub policy: wire::Policy,
    /// Why it can't be asked, with the fix.
    pub obstacle: Option<String>,
}

impl Provider {
    /// Whether one request can ask for several choices.
    pub fn makes_choices(&self) -> bool {
        self.dialect.has_choices() && !self.quirks.no_n
    }
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Provider").field("slug", &self.slug).finish_non_exhaustive()
    }
}

impl Catalog {
    /// Joins shipped data, configuration and environment.
    ///
    /// # Errors
    /// Names the provider or model and the key that is wrong.
    pub fn build(
        config: &Config,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, anyhow::Error> {
        for error in wire::shipped_errors() {
            tracing::warn!("shipped data was left out: {error}");
        }
        let mut catalog = Self::default();
        for shipped in wire::providers() {
            let change = config.provider.iter().find(|table| table.slug == shipped.slug);
            let provider = Provider::shipped(shipped, change, &environment)?;
            catalog.providers.insert(provider.slug.clone(), Arc::new(provider));
        }
        for table in &config.provider {
            if !catalog.providers.contains_key(&table.slug) {
                let provider = Provider::configured(table)?;
                catalog.providers.insert(provider.slug.clone(), Arc::new(provider));
            }
        }
        for model in &config.model {
            model.check()?;
        }
        for model in wire::models().iter().chain(&config.model) {
            let served = catalog.serve(model, config.billing.allow_unpriced)?;
            catalog.models.insert(model.id.clone(), Arc::new(served));
        }
        Ok(catalog)
    }

    fn serve(&self, model: &Model, allow_unpriced: bool) -> Result<Served, anyhow::Error> {
        let endpoints = model.endpoints.iter().map(|endpoint| {
            let provider = self.providers.get(&endpoint.provider).with_context(|| {
                let known = self.providers.keys().cloned().collect::<Vec<_>>().join(", ");
                let (id, slug) = (&model.id, &endpoint.provider);
                format!("model {id}: there is no provider `{slug}`; there are: {known}")
            })?;
            let price = match endpoint.price.is_empty() {
                true => None,
                false => Some(
                    Price::read(
                        endpoint.price.iter().map(|(kind, usd)| (kind.as_str(), usd.as_str())),
                    )
                    .with_context(|| format!("model {}: price", model.id))?,
                ),
            };
            let unpriced = (price.is_none() && !allow_unpriced).then(|| {
                "it has no price; add one, or set `billing.allow_unpriced = true`".to_owned()
            });
            Ok(Arc::new(Endpoint {
                provider: Arc::clone(provider),
                model: endpoint.model.clone(),
                context_length: endpoint.context_length.unwrap_or(model.context_length),
                max_output_tokens: endpoint.max_output_tokens,
                reasoning: model.reasoning,
                efforts: model.efforts.clone(),
                quirks: endpoint.quirks(&provider.quirks),
                price,
                offer: endpoint.clone(),
                obstacle: provider.obstacle.clone().or(unpriced),
            }))
        });
        let endpoints = endpoints.collect::<Result<_, anyhow::Error>>()?;
        Ok(Served { model: model.clone(), endpoints })
    }
}

impl Provider {
    fn shipped(
        shipped: &wire::Provider,
        change: Option<&ProviderTable>,
        environment: &impl Fn(&str) -> Option<String>,
    ) -> Result<Self, anyhow::Error> {
        let dialect = change.and_then(|table| table.dialect.as_ref()).unwrap_or(&shipped.dialect);
        let base_url =
            change.and_then(|table| table.base_url.as_ref()).unwrap_or(&shipped.base_url);
        let auth =
            change.and_then(|table| table.auth.clone()).unwrap_or_else(|| shipped.auth.clone());
        let configured = change.and_then(|table| table.credential.clone());
        let found = || address::credential(&auth, &shipped.credential_env, environment);
        let (credential, unusable) =
            address::usable(&shipped.slug, &auth, configured.or_else(found));
        let needed = auth != Auth::None && credential.is_none();
        let is_amazon = matches!(auth, Auth::AwsSigv4 { .. });
        let missing = needed.then(|| match shipped.credential_env.first() {
            Some(name) if is_amazon => {
                format!("{name} is not set, nor are AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
            }
            Some(name) => format!("{name} is not set"),
            None => format!("provider `{}` has no `credential`", shipped.slug),
        });
        let given = change.map(|table| &table.variables);
        let variables = address::variables(shipped, given, credential.as_ref(), environment);
        let Address { base_url, region, obstacle } =
            Address::of(&shipped.slug, base_url, &shipped.variables, &variables)?;
        let query = change.and_then(|table| table.query.as_ref()).unwrap_or(&shipped.query);
        let obstacle = unusable.or(missing).or(obstacle);
        Ok(Self {
            slug: shipped.slug.clone(),
            name: change
                .and_then(|table| table.name.clone())
                .unwrap_or_else(|| shipped.name.clone()),
            dialect: known_dialect(&shipped.slug, dialect)?,
            base_url,
            query: query.clone().into_iter().collect(),
            region,
            auth,
            credential: credential.filter(|secret| secret.expose() != "none"),
            cancel: change.and_then(|table| table.cancel).unwrap_or(shipped.cancel),
            quirks: change
                .and_then(|table| table.quirks.clone())
                .unwrap_or_else(|| shipped.quirks.clone()),
            policy: policy(&shipped.slug, shipped.policy.clone(), change)?,
            obstacle,
        })
    }

    fn configured(table: &ProviderTable) -> Result<Self, anyhow::Error> {
        let slug = &table.slug;
        let dialect = table.dialect.as_deref().with_context(|| {
            let known = dialects();
            format!(
                "provider `{slug}` is not a shipped one, so it needs `dialect` (one of {known})"
            )
        })?;
        let base_url = table.base_url.as_deref().with_context(|| {
            format!("provider `{slug}` is not a shipped one, so it needs `base_url`")
        })?;
        let credential = table.credential.clone().with_context(|| {
            format!("provider `{slug}` needs `credential`: `env:NAME`, the secret, or \"none\"")
        })?;
        anyhow::ensure!(
            base_url.starts_with("http://") || base_url.starts_with("https://"),
            "provider `{slug}`: base_url must begin with http:// or https://, it is `{base_url}`"
        );
        let auth = table.auth.clone().unwrap_or_default();
        let (credential, unusable) = address::usable(slug, &auth, Some(credential));
        let Address { base_url, region, obstacle } =
            Address::of(slug, base_url, &BTreeMap::new(), &table.variables)?;
        Ok(Self {
            slug: slug.clone(),
            name: table.name.clone().unwrap_or_else(|| slug.clone()),
            dialect: known_dialect(slug, dialect)?,
            base_url,
            query: table.query.clone().unwrap_or_default().into_iter().collect(),
            region,
            auth,
            credential: credential.filter(|secret| secret.expose() != "none"),
            cancel: table.cancel.unwrap_or(true),
            quirks: table.quirks.clone().unwrap_or_default(),
            policy: policy(slug, wire::Policy::default(), Some(table))?,
            obstacle: unusable.or(obstacle),
        })
    }
}

/// What a provider does with what it is sent, with what the operator says instead.
fn policy(
    slug: &str,
    shipped: wire::Policy,
    change: Option<&ProviderTable>,
) -> Result<wire::Policy, anyhow::Error> {
    let Some(change) = change.and_then(|table| table.policy.as_ref()) else { return Ok(shipped) };
    let policy = shipped.changed_by(change);
    let wrong = |(key, problem)| anyhow::anyhow!("provider `{slug}`: policy.{key}: {problem}");
    policy.check().map_err(wrong)?;
    Ok(policy)
}

fn known_dialect(slug: &str, name: &str) -> Result<&'static dyn Dialect, anyhow::Error> {
    wire::dialect(name).with_context(|| {
        let known = dialects();
        format!("provider `{slug}`: there is no dialect `{name}`; there are: {known}")
    })
}

/// The dialects' names, for people.
fn dialects() -> String {
    wire::DIALECTS.iter().map(|dialect| dialect.name()).collect::<Vec<_>>().join(", ")
}
