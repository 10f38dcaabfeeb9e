//! What plugins reach outside the sandbox: the network, models on the bill of the generation, and
//! indexes. The plugin `caller` calls what its options say and puts what came back into the reply.

use super::caller::{
    COST, COST_NANOS, SIDE, TEXT, assert_says, charged, double, gateway, gateway_logging, grant,
    nanos, reach, record, text, told, with,
};
use super::upstream::reply;

mod bill;
mod catalog;
mod charges;
mod http;
mod leaving;
mod reports;
mod search;
mod secrets;
mod waiting;
