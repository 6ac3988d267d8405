//! Stories of an instance: a product, its state in a real directory, real sealed documents, and the stock plugin.

mod clock;
mod collecting;
mod given;
mod holding;
mod identity;
mod insatiable;
mod interrupted;
mod licenses;
mod links;
mod live;
mod notices;
mod outbox;
mod previews;
mod pseudonyms;
mod removal;
mod repeats;
mod rotation;
