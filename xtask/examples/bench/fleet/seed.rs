//! A fleet in the store, put there by the functions that the server itself calls: many at once, so that they share
//! commits.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use seatline_central::domain::{
    Act, Actor, Application, ApplicationId, EntryId, Incoming, InviteId, InviteRecord, Redeemed, Redemption, TokenHash,
};
use seatline_central::store::sql::SqlStore;
use seatline_central::store::{Applications as _, Invites as _, Reports as _};
use tokio::task::JoinSet;

use super::database::Database;
use super::product::{self, News, Product, bytes};
use crate::Problem;

/// How many products are put into the store at once: fewer than may wait there.
const AT_ONCE: u32 = 512;

/// Puts a fleet into the store of a server, each application with a link that has counted and repeated it once.
pub fn fleet(database: &Database, applications: usize) -> Result<Vec<Product>, Problem> {
    let people: Arc<[u8]> = product::people().into();
    let number = u32::try_from(applications)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let store = Arc::new(database.store().await?);
        let mut lanes = JoinSet::new();
        for lane in 0..AT_ONCE.min(number) {
            let (store, people) = (Arc::clone(&store), Arc::clone(&people));
            lanes.spawn(async move {
                let mut products = Vec::new();
                for number in (lane..number).step_by(AT_ONCE as usize) {
                    let added = add(&store, &people, number).await.map_err(|problem| problem.to_string());
                    products.push(added?);
                }
                Ok::<_, String>(products)
            });
        }
        let mut fleet = Vec::with_capacity(applications);
        while let Some(lane) = lanes.join_next().await {
            fleet.extend(lane??);
        }
        fleet.sort_by_key(|product| product.number);
        Ok(fleet)
    })
}

async fn add(store: &SqlStore, people: &[u8], number: u32) -> Result<Product, Problem> {
    let now = Timestamp::from_millisecond(Timestamp::now().as_millisecond())?;
    let mut product = Product::new(number);
    let act = |which: u8| {
        let mut id = bytes(number);
        id[5] = which;
        Act { actor: Actor::command_line("bench"), at: now, id: EntryId::from_random(id) }
    };
    let application = Application {
        id: ApplicationId::from_random(bytes(number)),
        name: format!("Wiki of department {number:07}").parse()?,
        product: "example-wiki".parse()?,
        url: None,
        created_at: now,
        link: None,
    };
    store.add_application(&act(1), &application).await?;
    let secret = TokenHash::of(&bytes::<32>(number));
    let invite = InviteRecord {
        id: InviteId::from_random(bytes(number)),
        secret: secret.clone(),
        application: Some(application.id),
        created_at: now,
        expires_at: now + SignedDuration::from_mins(30),
    };
    store.add_invite(&act(2), &invite).await?;
    let (key, facts) = (product.key().public(), product.facts()?);
    let redemption = Redemption { secret, key, product: facts, link: product.link.clone(), now };
    match store.redeem(&redemption).await? {
        Redeemed::Link(_) => {}
        other => return Err(format!("no link: {other:?}").into()),
    }
    let mut said = Vec::new();
    for news in [News::Count, News::None] {
        let product::Made { sealed, digest, entry } = product.report(people, news)?;
        said.push(Incoming { sealed, digest, entry, key: product.key().public().id() });
    }
    store.admit(&product.link, said, now).await?;
    Ok(product)
}
