//! The stories that every store must pass. They know the traits alone; each is given a store with nothing in it.
//!
//! ```text
//! async fn fresh() -> (MyStore, TempDir) { … }
//! seatline_central::store_conformance!(fresh);
//! ```
//!
//! They are made for tests: a story panics where the store does not behave.

mod accounts;
mod alerts;
mod applications;
mod audit;
mod channels;
mod counts;
mod evidence;
mod fleet;
mod history;
mod leases;
mod links;
mod people;
mod plugins;
mod quota;
mod repeats;
mod reports;
mod retention;
pub(crate) mod sample;
mod statements;
mod upkeep;

pub use accounts::*;
pub use alerts::*;
pub use applications::*;
pub use audit::*;
pub use channels::*;
pub use counts::*;
pub use evidence::*;
pub use fleet::*;
pub use history::*;
pub use leases::*;
pub use links::*;
pub use people::*;
pub use plugins::*;
pub use quota::*;
pub use repeats::*;
pub use reports::*;
pub use retention::*;
pub use statements::*;
pub use upkeep::*;

/// Makes a test of every story. `$fresh` is an async function that gives an empty store and whatever must live as long.
#[macro_export]
macro_rules! store_conformance {
    ($fresh:path) => {
        $crate::store_conformance!(@tests $fresh:
            a_name_belongs_to_one_application_whatever_its_case
            a_list_in_pages_is_the_whole_list
            text_from_people_stays_what_it_is
            what_no_list_gave_is_no_cursor
            g11_an_account_has_a_name_of_its_own_and_a_role
            g11_the_last_administrator_stays
            g11_of_two_administrators_who_remove_each_other_one_stays
            g11_a_removed_account_leaves_no_way_in
            g10_an_account_of_single_sign_on_follows_its_provider
            a_new_password_takes_the_place_of_the_old_one_and_ends_the_other_sessions
            a_session_ends_when_it_is_ended_or_unused_or_its_time_is_over
            an_api_token_serves_until_it_is_revoked_or_over
            tokens_are_listed_by_owner_in_pages
            g11_every_change_of_an_account_is_in_the_audit_log
            g11_every_change_of_an_application_or_link_is_in_the_audit_log
            g11_what_changes_nothing_or_fails_is_not_in_the_audit_log
            g11_the_audit_log_is_read_in_pages_and_by_filters
            a_store_belongs_to_the_first_key_that_it_was_opened_with
            an_invite_serves_the_first_key_that_uses_it_and_no_other
            an_invite_that_nobody_used_is_forgotten_long_after_it_expired
            w3_invites_are_listed_while_they_are_open_and_withdrawn
            an_invite_that_many_use_at_once_serves_one
            an_invite_that_nobody_used_in_time_is_expired
            an_invite_for_an_application_approves_the_link_beforehand
            a_key_has_one_link
            a_link_is_approved_for_one_application
            a_link_is_approved_for_a_new_application_or_nothing_is_added
            a_link_that_was_never_approved_cannot_be_suspended
            an_application_shows_only_a_link_of_its_own
            settings_are_changed_from_the_newest_revision_alone
            w3_links_are_listed_by_what_they_wait_for_in_pages
            b1_a_link_of_the_list_tells_of_its_chain
            w3_a_refused_link_is_remembered_and_an_approved_one_stays
            b1_reports_in_any_order_make_a_whole_chain
            b1_a_gap_is_shown_until_it_is_filled
            b2_a_repeated_report_has_the_answer_of_the_first_time
            b1_a_fork_is_refused_and_kept_as_evidence
            b1_a_broken_chain_is_refused_and_counted
            refused_reports_are_bounded
            a_report_from_the_future_is_kept_aside_until_its_time
            only_an_approved_link_reports
            b1_a_link_stores_no_more_within_a_day_than_it_may
            w4_a_link_that_is_given_more_room_brings_what_waits
            b1_reports_at_once_get_no_more_room_than_in_a_row
            w5_a_product_that_was_held_up_is_told_of
            a_key_that_is_replaced_again_and_again_has_to_wait
            b12_a_link_has_no_more_keys_than_evidence_can_name
            g8_no_report_is_from_before_its_link
            g8_the_time_of_a_link_begins_with_its_approval
            w6_reports_are_answered_with_the_settings_of_the_moment
            w5_counts_stay_visible_while_the_product_cannot_count
            w5_all_of_the_licenses_tab_is_of_one_commit
            w5_the_latest_report_is_the_newest_of_the_chain_and_not_the_last_to_arrive
            sealed_bytes_come_back_as_they_were
            counts_beyond_any_measure_are_stored
            writes_at_once_are_all_kept
            b1_reports_at_once_follow_each_other
            b1_a_repeat_says_what_the_report_before_said_and_comes_back_to_the_byte
            b1_a_repeat_of_what_is_not_known_here_is_refused_until_it_comes
            b1_a_repeat_of_another_links_report_or_of_a_repeat_is_refused
            b1_no_report_comes_between_a_repeat_and_what_it_repeats
            b1_repeats_in_any_order_make_the_same_chain_and_the_same_history
            b8_a_copy_that_repeats_is_a_fork
            b12_what_is_repeated_is_kept_for_as_long_as_its_repeats
            b12_what_is_repeated_outlives_its_month
            a_failure_is_repeated_and_the_counts_of_before_stay
            everything_is_kept_until_a_retention_is_set
            b1_reports_that_are_too_old_are_forgotten_and_the_chain_goes_on
            b1_all_that_is_too_old_goes_in_one_walk
            b2_the_newest_report_of_a_silent_link_stays
            months_come_and_go
            g8_reports_that_say_the_same_are_one_run
            g8_reports_in_any_order_make_the_same_history
            g8_a_hole_closes_when_its_reports_arrive
            b7_every_stored_report_can_be_held_against_another
            b9_the_latest_sketch_of_a_link_is_kept
            b9_a_late_sketch_takes_no_newer_ones_place
            b9_a_pseudonym_key_takes_the_place_of_the_one_in_force
            b9_it_is_told_who_has_turned_to_the_key_in_force
            b9_a_set_of_any_size_is_read_in_bounded_batches
            b9_a_count_is_made_once_and_kept_with_its_numbers
            b9_a_count_that_is_begun_again_belongs_to_who_began_it_last
            b9_counts_that_wait_and_that_are_kept_are_bounded
            b9_a_set_is_counted_by_its_schedule
            b4_what_was_said_of_a_server_id_is_kept_once_and_within_bounds
            b4_only_an_approved_link_says_something_of_its_server_id
            w5_a_new_application_is_reviewed_once
            w6_an_unchanged_report_needs_no_review
            w6_only_what_a_report_says_makes_it_another
            w5_whatever_is_new_calls_for_a_review
            s5_the_passing_of_time_calls_for_a_review
            concerns_begin_change_and_end
            w5_a_fleet_is_listed_in_every_order
            w5_a_fleet_is_filtered
            w5_a_name_that_changes_hands_is_found_where_it_is
            w5_a_filter_that_leaves_little_is_answered_in_pages
            s3_sums_hold_what_is_used_in_production_and_staging_apart
            the_calendar_holds_every_end
            an_alert_is_told_once_and_again_when_it_is_over
            what_is_over_before_it_was_told_is_never_told
            what_begins_together_is_one_message
            a_channel_that_is_new_hears_what_is_open
            in_quiet_hours_nothing_is_told_until_they_end
            what_is_acknowledged_is_not_told
            a_delivery_is_one_takers_until_its_time_is_over
            of_servers_that_tell_at_once_each_alert_is_told_once
            alerts_are_listed_in_pages_and_filtered
            who_is_told_follows_the_labels_of_an_application
            a_new_plugin_version_is_told_once
            what_a_plugin_is_newly_granted_is_told_once
            the_longest_words_of_a_plugin_are_in_no_lists_way
            g11_a_channel_is_changed_as_it_was_read
            g11_channels_are_kept_with_names_of_their_own
            s5_other_reminders_have_the_fleet_reviewed
            old_messages_and_removed_channels_are_forgotten
            a_lease_is_one_holders_until_it_ends
            a_lease_of_who_lives_stays_his
            a_lease_from_before_the_clock_was_set_back_keeps_nobody_waiting
            a_new_key_takes_its_place_and_the_chain_goes_on
            b12_every_key_that_a_link_had_is_known
            a_key_is_replaced_once_and_by_a_key_of_its_own
            w6_a_demand_is_answered_by_the_report_that_was_made_for_it
            w6_news_of_links_is_found_since_a_time
            w3_a_removed_link_is_remembered_by_its_keys_alone
            w1_a_removed_application_takes_its_links_along
            w1_an_application_is_changed
            b8_answers_are_kept_with_who_when_and_why
            b12_a_period_is_exported_in_batches_by_number
            b1_a_conflict_is_given_with_the_report_that_it_cannot_stand_beside
            b12_refused_reports_and_statements_are_exported_with_their_period
        );
    };
    (@tests $fresh:path: $($story:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $story() {
                let (store, _alive) = $fresh().await;
                $crate::store::conformance::$story(&store).await;
            }
        )*
    };
}
