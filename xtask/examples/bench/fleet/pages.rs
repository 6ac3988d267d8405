//! What an administrator opens: how long the server takes for each page.

use std::time::{Duration, Instant};

use seatline_tests::{Central, PASSWORD};
use ureq::http::header::{COOKIE, LOCATION, SET_COOKIE};

use crate::{Bench, Problem};

/// How often each page is opened.
const TIMES: usize = 200;

/// How long a page takes.
pub struct PageTime {
    pub name: &'static str,
    pub milliseconds: f64,
}

/// The pages that show many applications, or one of many. `{id}` is an application.
const PAGES: [(&str, &str); 7] = [
    ("the overview", "/"),
    ("the list of applications", "/applications"),
    ("the calendar of ends", "/calendar"),
    ("the people", "/people"),
    ("the details of an application", "/applications/{id}"),
    ("the licenses of an application", "/applications/{id}/licenses"),
    ("the history of an application", "/applications/{id}/history"),
];

/// The time that 99 of 100 do not exceed, for each page.
pub fn times(bench: &Bench, central: &Central) -> Result<Vec<PageTime>, Problem> {
    let agent: ureq::Agent = ureq::Agent::config_builder().max_redirects(0).http_status_as_error(false).build().into();
    let cookie = sign_in(&agent, central)?;
    let applications = central.get("/api/v1/applications?limit=1");
    let id = applications["items"][0]["id"].as_str().ok_or("there is no application")?;
    let (mut times, number) = (Vec::new(), bench.part(TIMES));
    for (name, path) in PAGES {
        let url = format!("{}{}", central.url(), path.replace("{id}", id));
        let mut taken = Vec::with_capacity(number);
        for _ in 0..number {
            let begun = Instant::now();
            let mut answer = agent.get(&url).header(COOKIE, &cookie).call()?;
            answer.body_mut().read_to_string()?;
            taken.push(begun.elapsed());
            if answer.status() != 200 {
                let to = answer.headers().get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or_default();
                return Err(format!("{url} answers {} {to}", answer.status()).into());
            }
        }
        taken.sort_unstable();
        let slow: Duration = taken[number * 99 / 100];
        times.push(PageTime { name, milliseconds: slow.as_secs_f64() * 1e3 });
    }
    Ok(times)
}

/// Signs in as a person does; gives the cookie.
fn sign_in(agent: &ureq::Agent, central: &Central) -> Result<String, Problem> {
    let form = [("name", "ada"), ("password", PASSWORD), ("next", "/")];
    let answer = agent.post(format!("{}/sign-in", central.url())).send_form(form)?;
    let cookie = answer.headers().get(SET_COOKIE).ok_or("nobody was signed in")?.to_str()?;
    Ok(cookie.split(';').next().unwrap_or_default().to_owned())
}
