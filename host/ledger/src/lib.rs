//! Money: hold -> settle | void, prices, limits. Exact integers, no IO, no clock; whoever calls
//! brings the time and writes the returned [`Movement`]s down.

mod book;
mod decimal;
mod money;
mod price;
mod window;

pub use book::{
    Book, Credits, Hold, Id, Imbalance, Limit, Mode, Movement, Refusal, Spend, State, Window,
};
pub use decimal::DecimalError;
pub use money::Money;
pub use price::{Cost, Counts, Kind, Price, PriceError};
pub use window::{Reset, window_end, window_start};
