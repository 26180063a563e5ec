//! `obit serve` as its clients see it: the real process, on a port of its own.

mod access;
mod api;
mod audit;
mod cores;
mod exposures;
mod limits;
mod pages;
mod server;
