//! Two servers on a PostgreSQL of two nodes that Patroni keeps available: whatever happens to a node, the servers find
//! the one that takes changes by themselves, and no receipt was given for what is lost.

mod support;

use std::time::{Duration, Instant};

use seatline_tests::patroni::Patroni;
use support::stream::{Stream, is_whole, pair};

/// No more than this passes between two receipts: Patroni's `ttl` (10 seconds), after which it knows that a node is
/// gone, the promotion, and our own 15 seconds of patience where a connection says nothing.
const LONGEST: Duration = Duration::from_secs(60);

/// Does something to a node, and says how long no receipts came.
fn outage(what: &str, stream: &Stream, harm: impl FnOnce()) {
    let refused = stream.refused();
    let begun = Instant::now();
    harm();
    stream.more(20);
    let (took, refused) = (begun.elapsed(), stream.refused() - refused);
    eprintln!("{what}: receipts again after {took:.1?}, {refused} exchanges were answered by 503");
    assert!(took < LONGEST, "{what}: {took:?}");
}

#[test]
fn b2_no_receipt_is_lost_when_nodes_of_the_database_are_killed_stand_still_and_change_their_roles() {
    let mut nodes = Patroni::start();
    let (one, other, mut products) = pair(&nodes.url(), 3);
    let stream = Stream::to(&[&one, &other]);
    stream.during(&mut products, || {
        let first = nodes.primary();
        outage("the primary is killed", &stream, || nodes.kill(first));
        let second = nodes.primary();
        assert_ne!(first, second);
        assert!(stream.refused() > 0, "products were told to wait");

        // It comes back, and follows.
        nodes.start_again(first);
        nodes.wait_until_replica(first);
        nodes.wait_for_standby();
        stream.more(20);

        outage("a planned switchover", &stream, || nodes.switch_over());
        assert_eq!(nodes.primary(), first);
        nodes.wait_for_standby();

        // It wakes up while it still believes that it is the primary: nobody is there who would confirm a commit.
        outage("the primary stands still", &stream, || nodes.stand_still(first, "STOP"));
        nodes.stand_still(first, "CONT");
        nodes.wait_until_replica(first);
        assert_eq!(nodes.primary(), second);
        nodes.wait_for_standby();
        stream.more(20);

        outage("the standby is killed", &stream, || nodes.kill(first));
    });
    products.iter_mut().for_each(|product| is_whole(product, &one));
}
