//! The table of notations, by domain. To add one, add a row to a file here, with a text in
//! which it hides something and one with the same words in which it hides nothing; where its
//! places cannot be given as data, with a function that reads it in a file beside.

mod accounts;
mod finance;
mod health;
mod keys;
mod login;
mod messages;
mod network;
mod records;
mod services;
mod sql;
mod trade;
mod travel;

use super::Notation;

pub(super) static ROWS: &[&[Notation]] = &[
    accounts::ROWS,
    login::ROWS,
    finance::ROWS,
    health::ROWS,
    trade::ROWS,
    sql::ROWS,
    travel::ROWS,
    keys::ROWS,
    network::ROWS,
    records::ROWS,
    messages::ROWS,
    services::ROWS,
];
