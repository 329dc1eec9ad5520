use moderation::PolicyVersion;
use moderation::policy::Policy;
use moderation_wire::v1;
use prost::Message;

use super::*;
use crate::demo::bundle::shipped;
use crate::demo::ledger::Entry;
use crate::demo::traffic::Traffic;

const EVENTS: u64 = 1_200;

/// A world in which everything goes as it must.
struct World {
    source: Arc<Source>,
    clock: Clock,
    directory: PathBuf,
    versions: Versions,
    entries: Vec<Entry>,
}

impl World {
    /// Decides events as the stages would, and notes what they would publish.
    fn new() -> Self {
        let (directory, bundle, document) = shipped();
        let deployment = moderation::Deployment {
            bundles: vec![bundle],
            direct_messages: moderation::DirectMessageScope::Reported,
        };
        let source = Arc::new(Source::Own(Traffic::new(5)));
        let clock = Clock::start();
        let config = EngineConfig {
            bundle_directory: directory.clone(),
            ..EngineConfig::default()
        };
        let engine = Engine::start(config).expect("the runtime is where cargo says");
        engine
            .deploy(DeploymentVersion(1), &deployment)
            .expect("the shipped bundle");
        let policy = Policy::parse(&document).expect("the shipped policy");
        let policy =
            CompiledPolicy::compile(&policy, PolicyVersion(1)).expect("the shipped policy");
        let entries = (0..EVENTS)
            .map(|index| entry(&source, &clock, index, (&engine, &policy)))
            .collect();
        Self {
            source,
            clock,
            directory,
            versions: versions(&deployment, document),
            entries,
        }
    }

    fn discrepancies(&self, entries: Vec<Entry>) -> Discrepancies {
        let (sender, chunks) = sync_channel(1);
        sender
            .send((Chunk { first: 0, entries }, self.versions.clone()))
            .unwrap();
        drop(sender);
        let oracle = Oracle::new(Arc::clone(&self.source), self.clock, self.directory.clone());
        let findings = oracle.run(&chunks, |_| {}).unwrap();
        assert_eq!(findings.events, EVENTS);
        findings.discrepancies
    }

    fn check(&self, alter: impl Fn(&mut [Entry]), [lost, duplicates, contradictory]: [u64; 3]) {
        let mut entries = self.entries.clone();
        alter(&mut entries);
        assert_eq!(
            self.discrepancies(entries),
            Discrepancies {
                lost,
                duplicates,
                contradictory
            }
        );
    }

    /// Finds an event with at least one action.
    fn actioned(&self) -> usize {
        self.entries
            .iter()
            .position(|entry| entry.actions > 0)
            .expect("some event is acted on")
    }
}

fn entry(
    source: &Source,
    clock: &Clock,
    index: u64,
    (engine, policy): (&Engine, &CompiledPolicy),
) -> Entry {
    let scheduled = index as u32;
    let evaluated_ms = 7;
    let event = source.event(index, clock.wall(scheduled)).unwrap();
    let time = clock.at_offset_ms(evaluated_ms);
    let Ok(content) = decode_content(&event.value, event.format, time, &Limits::default()) else {
        return Entry {
            scheduled,
            dead_letters: 1,
            print: print(&event.value),
            ..Entry::default()
        };
    };
    let decided = decide(&engine.score(content, time).unwrap(), policy);
    let Expected::Decided {
        print,
        actions,
        reviews,
        outputs,
    } = expected(&decided)
    else {
        unreachable!("a decision was made")
    };
    Entry {
        scheduled,
        evaluated_ms,
        policy: 1,
        deployment: 1,
        decisions: 1,
        actions,
        reviews,
        print,
        outputs,
        ..Entry::default()
    }
}

fn versions(deployment: &moderation::Deployment, document: String) -> Versions {
    use v1::control_record::Record;
    let mut versions = Versions::default();
    let policy = v1::PolicyVersion {
        version: 1,
        document,
        ..Default::default()
    };
    let deployment = v1::DeploymentVersion {
        version: 1,
        deployment: Some(deployment.into()),
        ..Default::default()
    };
    for record in [
        Record::PolicyHead(policy),
        Record::DeploymentHead(deployment),
    ] {
        let bytes = v1::ControlRecord {
            record: Some(record),
        }
        .encode_to_vec();
        versions.apply(&bytes).unwrap();
    }
    versions
}

#[test]
fn whatever_is_dropped_repeated_or_altered_is_found() {
    let world = World::new();
    world.check(|_| {}, [0, 0, 0]);

    let actioned = world.actioned();
    world.check(|entries| entries[actioned].actions -= 1, [1, 0, 0]);
    world.check(|entries| entries[actioned].actions += 1, [0, 1, 0]);
    world.check(|entries| entries[actioned].outputs ^= 1, [0, 0, 1]);
    world.check(|entries| entries[actioned].print ^= 1, [0, 0, 1]);
    world.check(|entries| entries[actioned].decisions = 2, [0, 1, 0]);

    let plain = world
        .entries
        .iter()
        .position(|entry| entry.decisions == 1 && entry.actions + entry.reviews == 0)
        .unwrap();
    let undecided = |entries: &mut [Entry]| {
        entries[plain] = Entry {
            scheduled: entries[plain].scheduled,
            ..Entry::default()
        }
    };
    world.check(undecided, [1, 0, 0]);
    world.check(|entries| entries[plain].evaluated_ms += 1, [0, 0, 1]);
    world.check(|entries| entries[plain].policy = 2, [0, 0, 1]);

    let unreadable = world
        .entries
        .iter()
        .position(|entry| entry.dead_letters == 1)
        .unwrap();
    world.check(|entries| entries[unreadable].dead_letters = 0, [1, 0, 0]);
    world.check(|entries| entries[unreadable].print ^= 1, [0, 0, 1]);
}
