//! Orders the models that can serve a request: by what a request like it costs on each, in bands of
//! price, and within a band by what speaks for a model.

#[cfg(test)]
mod tests;

use crate::pattern::Pattern;
use crate::task::Task;
use patchbay_sdk::catalog::Model;
use serde::{Deserialize, Serialize};

/// A fifth of the candidates, by cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Tier {
    Low,
    Medium,
    High,
    Xhigh,
    Max,
}

/// Percentiles of the candidates' cost: from the first, up to but without the second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Band(pub(crate) f64, pub(crate) f64);

impl Tier {
    pub(crate) fn band(self) -> Band {
        match self {
            Self::Low => Band(0.0, 20.0),
            Self::Medium => Band(20.0, 40.0),
            Self::High => Band(40.0, 60.0),
            Self::Xhigh => Band(60.0, 80.0),
            Self::Max => Band(80.0, 101.0),
        }
    }
}

impl Band {
    /// OpenRouter's older notation, a ceiling: 10 is the cheapest tenth, 0 all but the dearest.
    pub(crate) fn of_tradeoff(tradeoff: f64) -> Self {
        Self(0.0, 90.0 - 8.0 * tradeoff.clamp(0.0, 10.0))
    }

    /// How far a percentile is from the band; 0 inside.
    fn distance(self, percentile: f64) -> f64 {
        if percentile < self.0 {
            self.0 - percentile
        } else if percentile < self.1 {
            0.0
        } else {
            percentile - self.1 + 0.001
        }
    }
}

/// A pattern that the operator prefers for a task.
#[derive(Debug, Clone)]
pub(crate) struct Preference {
    pub(crate) pattern: Pattern,
    pub(crate) weight: f64,
}

/// A candidate in its place.
#[derive(Debug)]
pub(crate) struct Ranked<'a> {
    pub(crate) model: &'a Model,
    percentile: f64,
    /// The weight of the operator's preference and its place in the list.
    preferred: Option<(f64, usize)>,
}

/// The candidates, best first. Without a band that was asked for, what the operator prefers comes
/// first, whatever it costs.
pub(crate) fn rank<'a>(
    candidates: &[&'a Model],
    task: Task,
    preferences: &[Preference],
    band: Option<Band>,
) -> Vec<Ranked<'a>> {
    let mut costs: Vec<u128> = candidates.iter().map(|model| cost(model, task)).collect();
    costs.sort_unstable();
    let percentile = |model: &Model| {
        let rank = costs.partition_point(|other| *other < cost(model, task));
        100.0 * number(rank) / number(costs.len().max(1))
    };
    let preferred = |model: &Model| {
        let mut fit = preferences.iter().enumerate().filter(|(_, it)| it.pattern.fits(&model.id));
        fit.next().map(|(index, it)| (it.weight, index))
    };
    let ranked = candidates.iter().map(|model| Ranked {
        model,
        percentile: percentile(model),
        preferred: preferred(model),
    });
    let mut ranked: Vec<Ranked<'a>> = ranked.collect();
    let chosen = band.unwrap_or(Tier::Low.band());
    ranked.sort_by(|a, b| {
        let by_band = || {
            let (a, b) = (chosen.distance(a.percentile), chosen.distance(b.percentile));
            a.total_cmp(&b)
        };
        let by_preference = || order_of(b.preferred).total_cmp(&order_of(a.preferred));
        let by_list = || {
            let place = |it: &Ranked<'_>| it.preferred.map_or(usize::MAX, |(_, index)| index);
            place(a).cmp(&place(b))
        };
        let first = match band {
            Some(_) => by_band().then_with(by_preference),
            None => by_preference().then_with(by_list).then_with(by_band),
        };
        first.then_with(by_list).then_with(|| by_signs(a.model, b.model, task))
    });
    ranked
}

fn order_of(preferred: Option<(f64, usize)>) -> f64 {
    preferred.map_or(-1.0, |(weight, _)| weight)
}

/// What speaks for one of two models where nobody said which is better: that it is made for the
/// task, that it thinks where thinking helps, that it is newer, that it costs more.
fn by_signs(a: &Model, b: &Model, task: Task) -> std::cmp::Ordering {
    let made_for = |model: &Model| task.marks().iter().any(|mark| model.id.contains(mark));
    let thinks = |model: &Model| task.is_hard() && model.supports("reasoning");
    (made_for(b).cmp(&made_for(a)))
        .then_with(|| thinks(b).cmp(&thinks(a)))
        .then_with(|| b.created.cmp(&a.created))
        .then_with(|| cost(b, task).cmp(&cost(a, task)))
        .then_with(|| a.id.cmp(&b.id))
}

/// What a typical request of the task costs, in no unit. Unknown prices are the highest.
fn cost(model: &Model, task: Task) -> u128 {
    let (read, written) = task.shape();
    let price = |nanos: Option<u64>| nanos.map_or(u128::from(u64::MAX), u128::from);
    price(model.prompt_nanos) * u128::from(read)
        + price(model.completion_nanos) * u128::from(written)
}

fn number(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}
