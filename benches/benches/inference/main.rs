//! What scoring a text costs in the engine, beside the model alone and beside a loop that does the least.

mod bare_model;
mod one_engine;

use anyhow::Context as _;
use inference::bundle::Bundle;
use tidegate_benches::{Bench, Cost, Texts, repository, run};

use bare_model::BareModel;
use one_engine::OneEngine;

/// The shipped bundle, below `deploy/models`.
const BUNDLE: &str = "screen";
/// Some hundreds of milliseconds of work for the engine, so that waking and waiting do not show.
const TEXTS: usize = 20_000;
const ROUNDS: usize = 15;
/// About as many texts as the engine puts into a batch of its own.
const FULL_BATCH: usize = 64;

fn main() -> anyhow::Result<()> {
    run(
        "inference",
        "deploy/models/screen, one worker, texts of 60 characters (median); baselines as the cases say, one thread",
        |bench| {
            let directory = repository().join("deploy/models");
            let bundle = Bundle::read(&directory.join(BUNDLE))
                .with_context(|| format!("cannot read the bundle {BUNDLE} in {directory:?}"))?;
            let count = bench.amount(TEXTS);
            let mut cases = Cases {
                bench,
                count,
                model: BareModel::open(&bundle)?,
                other_model: BareModel::open(&bundle)?,
                engine: OneEngine::start(&directory, BUNDLE, 0)?,
            };
            cases.model_alone()?;
            cases.features_alone()?;
            cases.language_alone()?;
            cases.engine_against_model()?;
            cases.engine_against_loop()?;
            cases.one_at_a_time()?;
            cases.cache_with_repeats(&OneEngine::start(&directory, BUNDLE, 65_536)?)
        },
    )
}

struct Cases<'a> {
    bench: &'a mut Bench,
    /// Texts of a round.
    count: usize,
    model: BareModel,
    /// A second session, for cases in which both sides run the model.
    other_model: BareModel,
    /// Without a cache.
    engine: OneEngine,
}

impl Cases<'_> {
    fn model_alone(&mut self) -> anyhow::Result<()> {
        for batch in [1, 16] {
            let case = format!("model in batches of {batch}; baseline: of {FULL_BATCH}");
            if !self.bench.wants(&case) {
                continue;
            }
            let prepared = self.model.prepare(&texts(0, self.count));
            let costs = self.bench.in_turns(
                ROUNDS,
                |_| self.model.score(&prepared, batch),
                |_| self.other_model.score(&prepared, FULL_BATCH),
            )?;
            self.record_cpu(&case, self.count, &costs);
        }
        Ok(())
    }

    fn features_alone(&mut self) -> anyhow::Result<()> {
        let case = format!("features; baseline: model in batches of {FULL_BATCH}");
        if !self.bench.wants(&case) {
            return Ok(());
        }
        let texts = texts(0, self.count);
        let prepared = self.model.prepare(&texts);
        let costs = self.bench.in_turns(
            ROUNDS,
            |_| Ok(self.other_model.extract(&texts)),
            |_| self.model.score(&prepared, FULL_BATCH),
        )?;
        self.record_cpu(&case, self.count, &costs);
        Ok(())
    }

    fn language_alone(&mut self) -> anyhow::Result<()> {
        let case = "language detection; baseline: features";
        if !self.bench.wants(case) {
            return Ok(());
        }
        let texts = texts(0, self.count);
        let costs = self.bench.in_turns::<_, _, anyhow::Error>(
            ROUNDS,
            |_| Ok(BareModel::detect_language(&texts)),
            |_| Ok(self.model.extract(&texts)),
        )?;
        self.record_cpu(case, self.count, &costs);
        Ok(())
    }

    fn engine_against_model(&mut self) -> anyhow::Result<()> {
        let case = format!("engine, cache off; baseline: model in batches of {FULL_BATCH}");
        if !self.bench.wants(&case) {
            return Ok(());
        }
        let costs = self.bench.in_turns(
            ROUNDS,
            |round| self.engine.submit_all(texts(round, self.count)),
            |round| {
                let prepared = self.model.prepare(&texts(round, self.count));
                self.model.score(&prepared, FULL_BATCH)
            },
        )?;
        self.record_cpu(&case, self.count, &costs);
        Ok(())
    }

    fn engine_against_loop(&mut self) -> anyhow::Result<()> {
        let case =
            format!("engine, cache off; baseline: features and model, {FULL_BATCH} texts each");
        if !self.bench.wants(&case) {
            return Ok(());
        }
        let costs = self.bench.in_turns(
            ROUNDS,
            |round| self.engine.submit_all(texts(round, self.count)),
            |round| {
                self.model
                    .extract_and_score(&texts(round, self.count), FULL_BATCH)
            },
        )?;
        self.record_cpu(&case, self.count, &costs);
        self.record_rate(&case, self.count, &costs);
        Ok(())
    }

    fn one_at_a_time(&mut self) -> anyhow::Result<()> {
        let case = "engine, one text at a time; baseline: features and model";
        if !self.bench.wants(case) {
            return Ok(());
        }
        // Slower each, so fewer do.
        let count = self.count.div_ceil(5);
        let costs = self.bench.in_turns(
            ROUNDS,
            |round| self.engine.score_each(texts(round, count)),
            |round| self.model.extract_and_score(&texts(round, count), 1),
        )?;
        self.record_cpu(case, count, &costs);
        self.record_rate(case, count, &costs);
        Ok(())
    }

    fn cache_with_repeats(&mut self, caching: &OneEngine) -> anyhow::Result<()> {
        let case = "engine, cache on, 10 % repeats; baseline: cache off";
        if !self.bench.wants(case) {
            return Ok(());
        }
        let costs = self.bench.in_turns(
            ROUNDS,
            |round| caching.submit_all(texts_with_repeats(round, self.count)),
            |round| {
                self.engine
                    .submit_all(texts_with_repeats(round, self.count))
            },
        )?;
        self.record_cpu(case, self.count, &costs);
        Ok(())
    }

    fn record_cpu(&mut self, case: &str, count: usize, (subjects, baselines): &Costs) {
        let of = |costs: &[Cost]| -> Vec<f64> {
            costs
                .iter()
                .map(|cost| cost.cpu_micros_each(count))
                .collect()
        };
        self.bench
            .record_comparison(case, "µs of CPU/text", &of(subjects), &of(baselines));
    }

    fn record_rate(&mut self, case: &str, count: usize, (subjects, baselines): &Costs) {
        let of = |costs: &[Cost]| -> Vec<f64> {
            costs.iter().map(|cost| cost.per_second(count)).collect()
        };
        self.bench
            .record_comparison(case, "texts/s", &of(subjects), &of(baselines));
    }
}

type Costs = (Vec<Cost>, Vec<Cost>);

/// Makes the texts of a round: new ones in each, so that no cache knows them.
fn texts(round: usize, count: usize) -> Vec<String> {
    Texts::new(round as u64).take(count).collect()
}

/// Makes the texts of a round, one in ten of which was there before.
fn texts_with_repeats(round: usize, count: usize) -> Vec<String> {
    let mut chance = Texts::new(u64::MAX - round as u64);
    let mut texts = texts(round, count);
    for number in 1..count {
        if chance.below(10) == 0 {
            texts[number] = texts[chance.below(number)].clone();
        }
    }
    texts
}
