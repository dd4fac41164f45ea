//! p
fn main(){}