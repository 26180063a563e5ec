use super::*;

fn at(milliseconds: i64) -> Option<Moment> {
    let nanoseconds = 1_800_000_000_000_000_000 + milliseconds * 1_000_000;
    Some(Moment { nanoseconds, precision: 1_000_000, is_of_file: false })
}

fn dump(command: &str, pid: i64, failure: Failure, milliseconds: i64) -> Facts {
    Facts {
        core: format!("{command}.core"),
        id: format!("{command}-{pid}"),
        pid: Some(pid),
        command: Some(command.to_owned()),
        signal: Some(if failure == Failure::Fault { "SIGSEGV" } else { "SIGABRT" }.to_owned()),
        failure,
        time: at(milliseconds),
        boot: Some("boot".to_owned()),
        ..Facts::default()
    }
}

fn address(text: &str, port: Option<u16>) -> Address {
    Address {
        key: text.to_owned(),
        shown: text.to_owned(),
        port,
        is_any: text.starts_with("0.0.0.0"),
        is_local: !text.starts_with("10."),
        build: None,
    }
}

fn found(all: &[Facts]) -> Incidents {
    let mut turned = all.to_vec();
    turned.reverse();
    let (one, other) = (find(all.to_vec(), WINDOW), find(turned, WINDOW));
    assert_eq!(one.incidents, other.incidents, "the order of the input changes nothing");
    one
}

const WINDOW: Settings = Settings { window: 300 };

/// The one incident, and the process that failed first in it.
#[track_caller]
fn only(incidents: &Incidents) -> (&Incident, Option<&str>) {
    let [only] = incidents.incidents.as_slice() else { panic!("{:?}", incidents.incidents) };
    let first = only.first.as_ref().map(|first| only.processes[first.process].core.as_str());
    (only, first)
}

fn server() -> Facts {
    let mut server = dump("server", 10, Failure::Fault, 0);
    server.roles = Roles { accepts: true, connects: false };
    server.addresses = vec![address("127.0.0.1:7000", Some(7000))];
    server
}

fn client() -> Facts {
    let mut client = dump("client", 20, Failure::Deliberate, 12);
    client.roles = Roles { accepts: false, connects: true };
    client.addresses = vec![address("127.0.0.1:7000", Some(7000))];
    client.losses = vec!["errno is ECONNRESET (104)".to_owned()];
    client
}

#[test]
fn a_client_that_lost_its_server_failed_as_a_consequence() {
    let found = found(&[client(), server()]);
    let (incident, first) = only(&found);
    assert_eq!(first, Some("server.core"));
    let second = &incident.processes[1];
    assert_eq!((second.follows, second.follows_strength), (Some(0), Some(Strength::Likely)));
    assert!(second.follows_reason.as_deref().unwrap().contains("ECONNRESET"));
    assert_eq!(incident.links[0].evidence[0].kind, EvidenceKind::Socket);
}

#[test]
fn a_server_of_all_addresses_serves_those_of_this_machine() {
    let mut all = [client(), server()];
    all[1].addresses = vec![address("0.0.0.0:7000", Some(7000))];
    assert_eq!(only(&found(&all)).1, Some("server.core"));
    all[0].addresses = vec![address("10.0.0.5:7000", Some(7000))];
    assert!(found(&all).incidents.is_empty(), "that may be any machine");
}

#[test]
fn two_clients_of_one_database_have_nothing_to_do_with_each_other() {
    let mut other = client();
    (other.pid, other.id, other.core) = (Some(21), "other".to_owned(), "other.core".to_owned());
    let found = found(&[client(), other]);
    assert!(found.incidents.is_empty(), "{found:?}");
    assert_eq!(found.alone.len(), 2);
}

#[test]
fn a_program_that_is_client_and_server_is_not_taken_for_the_server_of_what_it_uses() {
    let mut both = server();
    both.roles.connects = true;
    assert!(found(&[client(), both]).incidents.is_empty());
}

#[test]
fn the_kernels_word_on_two_ends_of_a_connection_proves_it() {
    let (mut one, mut other) = (server(), client());
    let socket = |inode, peer_inode| Socket {
        descriptor: 4,
        inode,
        peer_inode,
        family: "unix".to_owned(),
        ..Socket::default()
    };
    let network = |socket| Some(Network { namespace: 1, sockets: vec![socket], pipes: vec![] });
    one.network = network(socket(100, Some(200)));
    // After its server is gone the client's end has no peer any more.
    other.network = network(socket(200, None));
    (one.addresses, other.addresses) = (vec![], vec![]);
    let document = found(&[one.clone(), other.clone()]);
    let (incident, first) = only(&document);
    assert_eq!(first, Some("server.core"));
    assert_eq!(incident.links[0].strength, Strength::Proved);
    assert_eq!(incident.links[0].evidence.len(), 1);
    // Inodes of two machines say nothing.
    other.boot = Some("another".to_owned());
    assert!(found(&[one, other]).incidents.is_empty());
}

#[test]
fn dumps_that_are_further_apart_than_the_window_are_not_joined() {
    let (one, mut other) = (server(), client());
    other.time = at(301_500);
    assert!(found(&[one.clone(), other.clone()]).incidents.is_empty());
    other.time = None;
    assert_eq!(only(&found(&[one, other])).1, Some("server.core"), "evidence alone decides");
}

#[test]
fn a_parent_is_known_by_its_time_of_start_or_the_random_bytes_of_its_start() {
    let mut parent = dump("parent", 30, Failure::Deliberate, 40);
    let mut worker = dump("worker", 31, Failure::Fault, 0);
    worker.parent = Some(Parent { pid: 30, started: None });
    assert!(found(&[parent.clone(), worker.clone()]).incidents.is_empty(), "a number alone");
    (parent.random, worker.random) = (Some("r".to_owned()), Some("r".to_owned()));
    let document = found(&[parent.clone(), worker.clone()]);
    let (incident, first) = only(&document);
    assert_eq!(first, Some("worker.core"));
    assert_eq!(incident.links[0].strength, Strength::Proved);
    (parent.random, parent.started) = (None, Some(5));
    worker.parent = Some(Parent { pid: 30, started: Some(6) });
    assert!(found(&[parent, worker]).incidents.is_empty(), "the number was used again");
}

#[test]
fn init_and_the_first_process_of_a_container_are_no_parents() {
    let mut init = dump("entry", 1, Failure::Deliberate, 40);
    let mut worker = dump("worker", 31, Failure::Fault, 0);
    worker.parent = Some(Parent { pid: 1, started: None });
    (init.session, worker.session) = (Some(1), Some(1));
    assert!(found(&[init, worker]).incidents.is_empty());
}

#[test]
fn a_pipe_joins_its_writer_and_its_reader_and_not_those_who_inherited_it() {
    let pipe = |writes| PipeEnd { descriptor: 1, inode: 9, writes };
    let network = |pipes| Some(Network { namespace: 1, sockets: vec![], pipes });
    let mut writer = dump("writer", 40, Failure::Fault, 0);
    let mut reader = dump("reader", 41, Failure::Deliberate, 10);
    writer.network = network(vec![pipe(true)]);
    reader.network = network(vec![pipe(false)]);
    assert_eq!(only(&found(&[writer.clone(), reader.clone()])).1, Some("writer.core"));
    // Both write to the log of the job that started them.
    reader.network = network(vec![pipe(true)]);
    assert!(found(&[writer.clone(), reader.clone()]).incidents.is_empty());
    // A job server's.
    reader.network = network(vec![pipe(true), pipe(false)]);
    writer.network = reader.network.clone();
    assert!(found(&[writer, reader]).incidents.is_empty());
}

#[test]
fn shared_memory_joins_by_its_name_unless_that_is_a_common_one() {
    let memory = |is_common| SharedMemory {
        key: "q".to_owned(),
        shown: "/dev/shm/queue".to_owned(),
        is_common,
        ..SharedMemory::default()
    };
    let mut producer = dump("producer", 50, Failure::Fault, 0);
    let mut consumer = dump("consumer", 51, Failure::Deliberate, 5);
    (producer.shared, consumer.shared) = (vec![memory(false)], vec![memory(false)]);
    let document = found(&[producer.clone(), consumer.clone()]);
    let (incident, first) = only(&document);
    assert_eq!(first, Some("producer.core"));
    assert_eq!(incident.links[0].strength, Strength::Likely);
    (producer.shared, consumer.shared) = (vec![memory(true)], vec![memory(true)]);
    assert!(found(&[producer, consumer]).incidents.is_empty());
}

fn id() -> Id {
    let (what, key, shown) = ("trace id".to_owned(), "t".to_owned(), "4bf9".to_owned());
    Id { what, key, shown, place: None }
}

#[test]
fn an_id_at_one_place_of_one_build_may_be_compiled_in_and_joins_nothing() {
    let with = |pid, place: Option<&str>| Facts {
        ids: vec![Id { place: place.map(str::to_owned), ..id() }],
        ..dump("app", pid, Failure::Fault, 0)
    };
    assert!(found(&[with(60, Some("a+8")), with(61, Some("a+8"))]).incidents.is_empty());
    for other in [Some("a+16"), Some("b+8"), None] {
        assert_eq!(
            found(&[with(60, Some("a+8")), with(61, other)]).incidents.len(),
            1,
            "{other:?}"
        );
    }
}

#[test]
fn an_address_that_both_have_from_one_library_is_not_what_the_server_serves() {
    let from = |mut facts: Facts, build: Option<&str>| {
        facts.addresses =
            vec![Address { build: build.map(str::to_owned), ..address("/run/log.sock", None) }];
        facts
    };
    assert!(found(&[from(server(), Some("a")), from(client(), Some("a"))]).incidents.is_empty());
    for other in [Some("b"), None] {
        let all = [from(server(), Some("a")), from(client(), other)];
        assert_eq!(found(&all).incidents.len(), 1, "{other:?}");
    }
}

#[test]
fn what_ended_itself_later_follows_only_if_it_lost_something_or_noticed_it_at_once() {
    let strength = |milliseconds: i64, losses: &[&str]| {
        let mut then = client();
        then.time = at(milliseconds);
        then.losses = losses.iter().map(|&loss| loss.to_owned()).collect();
        let document = found(&[server(), then]);
        only(&document).0.processes[1].follows_strength.unwrap()
    };
    assert_eq!(strength(5, &[]), Strength::Likely);
    assert_eq!(strength(40, &[]), Strength::Guess, "after it is not because of it");
    assert_eq!(strength(40, &["errno is EPIPE (32)"]), Strength::Likely);
    // Without a connection between them, at once is chance.
    let mut producer = dump("producer", 50, Failure::Fault, 0);
    let mut consumer = dump("consumer", 51, Failure::Deliberate, 5);
    (producer.ids, consumer.ids) = (vec![id()], vec![id()]);
    let document = found(&[producer.clone(), consumer.clone()]);
    let follows = only(&document).0.processes[1].follows_strength;
    assert_eq!(follows, Some(Strength::Guess));
    // A message that names it is no chance, if its parent says so.
    (consumer.named_processes, producer.parent) =
        (vec![50], Some(Parent { pid: 51, started: Some(3) }));
    consumer.started = Some(3);
    let document = found(&[producer.clone(), consumer.clone()]);
    assert_eq!(only(&document).0.processes[1].follows_strength, Some(Strength::Likely));
    // A number of another namespace is another process.
    (producer.numbers, consumer.numbers) = (Some(1), Some(1));
    consumer.own_numbers = Some(2);
    let document = found(&[producer, consumer]);
    assert_eq!(only(&document).0.processes[1].follows_strength, Some(Strength::Guess));
}

#[test]
fn numbers_of_two_namespaces_are_of_two_processes() {
    let mut parent = dump("parent", 30, Failure::Deliberate, 40);
    let mut worker = dump("worker", 31, Failure::Fault, 0);
    worker.parent = Some(Parent { pid: 30, started: None });
    (parent.random, worker.random) = (Some("r".to_owned()), Some("r".to_owned()));
    (parent.numbers, worker.numbers) = (Some(1), Some(1));
    assert_eq!(found(&[parent.clone(), worker.clone()]).incidents.len(), 1);
    worker.numbers = Some(2);
    assert!(found(&[parent, worker]).incidents.is_empty());
    let watchdog = dump("watchdog", 70, Failure::Deliberate, 0);
    let mut hung = dump("hung", 71, Failure::Sent, 0);
    hung.sender = Some(70);
    assert_eq!(found(&[watchdog.clone(), hung.clone()]).incidents.len(), 1);
    let watchdog = Facts { numbers: Some(1), ..watchdog };
    (hung.numbers, hung.own_numbers) = (Some(1), Some(2));
    assert!(found(&[watchdog, hung]).incidents.is_empty());
}

#[test]
fn a_sentence_names_a_few_of_many_processes() {
    let all: Vec<Facts> = (0..40)
        .map(|pid| {
            let mut one = dump("app", 1_000 + pid, Failure::Fault, 0);
            (one.time, one.parent) = (None, Some(Parent { pid: 999, started: Some(1) }));
            one
        })
        .collect();
    let mut parent = dump("parent", 999, Failure::Fault, 0);
    (parent.time, parent.started) = (None, Some(1));
    let document = found(&[all, vec![parent]].concat());
    let incident = &document.incidents[0];
    let undecided = incident.undecided.as_deref().unwrap();
    assert!(undecided.contains("\u{2026} and ") && undecided.len() < 400, "{undecided}");
    assert!(incident.next.iter().all(|next| next.len() < 400), "{:?}", incident.next);
}

#[test]
fn an_id_that_many_processes_hold_joins_none_of_them() {
    let id = id();
    let with_id = |pid| Facts { ids: vec![id.clone()], ..dump("app", pid, Failure::Fault, 0) };
    let few: Vec<Facts> = (60..63).map(with_id).collect();
    assert_eq!(found(&few).incidents.len(), 1);
    let many: Vec<Facts> = (60..70).map(with_id).collect();
    assert!(found(&many).incidents.is_empty());
}

#[test]
fn services_that_fail_together_every_day_are_an_incident_each_day() {
    let mut all = Vec::new();
    for day in 0..40 {
        for (mut one, pid) in [(server(), 100), (client(), 101)] {
            one.shared = vec![SharedMemory { key: "q".to_owned(), ..SharedMemory::default() }];
            one.id = format!("{day}-{pid}");
            let time = one.time.as_mut().unwrap();
            time.nanoseconds += day * 86_400_000_000_000;
            all.push(one);
        }
    }
    let found = found(&all);
    assert_eq!(found.incidents.len(), 40);
    assert!(found.incidents.iter().all(|one| one.processes.len() == 2));
}

#[test]
fn a_snapshot_of_a_peer_leaves_the_one_that_crashed() {
    let (one, mut other) = (server(), client());
    other.failure = Failure::Snapshot;
    let document = found(&[one, other]);
    let (incident, first) = only(&document);
    assert_eq!(first, Some("server.core"));
    assert!(incident.first.as_ref().unwrap().reason.contains("did not fail"));
}

#[test]
fn of_three_processes_each_follows_from_the_one_before_it() {
    let mut middle = client();
    middle.roles.accepts = true;
    let socket = |descriptor, inode, peer_inode| Socket {
        descriptor,
        inode,
        peer_inode,
        ..Socket::default()
    };
    let network = |sockets| Some(Network { namespace: 1, sockets, pipes: vec![] });
    let mut back = server();
    let mut front = client();
    (front.core, front.id, front.pid) = ("front.core".to_owned(), "front".to_owned(), Some(22));
    front.time = at(20);
    back.network = network(vec![socket(3, 1, Some(2))]);
    middle.network = network(vec![socket(3, 2, Some(1)), socket(4, 3, Some(4))]);
    front.network = network(vec![socket(3, 4, Some(3))]);
    // The middle one lost its connection, too, so that alone does not say which was first.
    let document = found(&[front, back, middle]);
    let (incident, first) = only(&document);
    assert_eq!(first, Some("server.core"));
    let cores: Vec<&str> = incident.processes.iter().map(|one| one.core.as_str()).collect();
    assert_eq!(cores, ["server.core", "client.core", "front.core"]);
    assert_eq!(incident.processes[2].follows, Some(1));
}

#[test]
fn where_neither_times_nor_losses_say_it_no_process_is_the_first() {
    let (mut one, mut other) = (server(), client());
    other.failure = Failure::Fault;
    other.losses.clear();
    (one.time, other.time) = (None, None);
    let document = found(&[one, other]);
    let (incident, first) = only(&document);
    assert_eq!(first, None);
    assert!(incident.undecided.as_deref().unwrap().contains("do not say"));
}

#[test]
fn a_client_that_failed_before_its_server_did_not_fail_because_of_it() {
    let (mut one, other) = (server(), client());
    one.time = at(500);
    let document = found(&[one, other]);
    let (incident, first) = only(&document);
    assert_eq!(first, Some("client.core"));
    assert_eq!(incident.first.as_ref().unwrap().strength, Strength::Guess);
}

#[test]
fn who_sent_the_signal_acted_first_unless_it_failed_later() {
    let pair = |sent: i64| {
        let mut watchdog = dump("watchdog", 70, Failure::Deliberate, sent);
        watchdog.signal = Some("SIGABRT".to_owned());
        let mut hung = dump("hung", 71, Failure::Sent, 0);
        hung.sender = Some(70);
        [watchdog, hung]
    };
    let document = found(&pair(0));
    let (incident, _) = only(&document);
    let ended = incident.processes.iter().find(|one| one.pid == Some(71)).unwrap();
    assert!(ended.follows.is_some());
    let document = found(&pair(2_000));
    let later = document.incidents.first().map(|incident| &incident.processes);
    let ended = later.into_iter().flatten().find(|one| one.pid == Some(71));
    assert!(ended.is_none_or(|one| one.follows.is_none()));
}

#[test]
fn a_connection_that_both_inherited_joins_nothing() {
    let socket = |inode: u64, peer: u64| Socket {
        inode,
        peer_inode: Some(peer),
        ..Socket { descriptor: 3, family: "unix".to_owned(), ..Socket::default() }
    };
    let with = |pid: i64| {
        let mut one = dump("worker", pid, Failure::Fault, pid);
        let sockets = vec![socket(10, 11), socket(11, 10)];
        one.network = Some(Network { namespace: 1, sockets, pipes: vec![] });
        one
    };
    assert!(found(&[with(1_070), with(1_071)]).incidents.is_empty());
}

#[test]
fn two_files_of_one_crash_are_one_dump() {
    let mut copy = server();
    copy.core = "copy.core".to_owned();
    let found = found(&[server(), copy]);
    assert_eq!((found.incidents.len(), found.alone.len()), (0, 1));
    assert!(found.notes.iter().any(|note| note.contains("copies")));
}

#[test]
fn a_million_keys_and_many_dumps_take_no_more_than_they_have() {
    let mut all = Vec::new();
    for pid in 0..2_000 {
        let mut one = dump("app", 1_000 + pid, Failure::Fault, pid);
        one.ids = (0..200).map(|n| Id { key: format!("k{n}"), ..id() }).collect();
        one.addresses = vec![address("127.0.0.1:5432", Some(5432))];
        one.roles = Roles { accepts: false, connects: true };
        all.push(one);
    }
    assert!(find(all, WINDOW).incidents.is_empty());
}

#[test]
fn dumps_that_all_hold_the_same_addresses_take_no_time_by_their_square() {
    let with = |pid: i64, roles: Roles| {
        let mut one = dump("app", pid, Failure::Fault, pid % 1_000);
        one.addresses =
            (1..=256).map(|port| address(&format!("127.0.0.1:{port}"), Some(port))).collect();
        one.roles = roles;
        one
    };
    let server = Roles { accepts: true, connects: false };
    let client = Roles { accepts: false, connects: true };
    for roles in [[server, server], [client, client], [server, client]] {
        let all: Vec<Facts> =
            (0..2_000).map(|pid| with(2_000 + pid, roles[usize::from(pid % 2 == 0)])).collect();
        let started = std::time::Instant::now();
        let document = find(all, WINDOW);
        assert!(started.elapsed().as_secs() < 30, "{:?}", started.elapsed());
        assert!(document.incidents.is_empty(), "what all hold joins none of them");
    }
}
