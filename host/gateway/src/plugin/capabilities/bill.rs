//! `bill`: costs of a plugin's own, at the operator's prices.

use ledger::Money;

use super::super::bindings::bill;
use super::super::bindings::types::PluginError;
use super::super::host::State;

impl bill::Host for State {
    fn charge(&mut self, unit: String, count: u32) -> wasmtime::Result<Result<i64, PluginError>> {
        Ok(self.charge_units(&unit, count))
    }
}

impl State {
    fn charge_units(&mut self, unit: &str, count: u32) -> Result<i64, PluginError> {
        if let Some(script) = self.view.outside.script() {
            script.note_charge(unit, count);
            return Ok(0);
        }
        let price = self.grants.prices.get(unit).copied().unwrap_or(Money::ZERO);
        let nanos = price.nanos().saturating_mul(i64::from(count));
        let Some(services) = self.view.outside.services().filter(|_| nanos > 0) else {
            return Ok(0);
        };
        let id = &self.plugin.id;
        let amount = u64::try_from(nanos).unwrap_or(u64::MAX);
        let sum = self.used.charge_nanos.saturating_add(amount);
        if sum > self.limits.charge_nanos {
            let most =
                Money::from_nanos(i64::try_from(self.limits.charge_nanos).unwrap_or(i64::MAX));
            let setting = format!("plugin.{id}.limits.charge_nanos");
            let why = format!("charges of more than ${most} on one generation ({setting})");
            return Err(PluginError::Limit(why));
        }
        let charged = services.charge(id, unit, Money::from_nanos(nanos));
        charged.map_err(|error| PluginError::Limit(error.failure.message))?;
        self.used.charge_nanos = sum;
        Ok(nanos)
    }
}
