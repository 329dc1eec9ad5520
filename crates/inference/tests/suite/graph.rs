//! The graphs of the test models: `logits = sum(table[ids]) / sqrt(length)`, and what can be wrong with one.

use crate::onnx::{
    Element, Graph, graph_attribute, number_attribute, numbers_attribute, word_attribute,
};

/// What a model does besides scoring.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Quirk {
    None,
    /// Fails in any batch that has this feature.
    FailsOn(i32),
    /// Answers NaN for the whole of any batch that has this feature.
    LosesItOn(i32),
    /// Computes for hours in any batch that has this feature.
    HangsOn(i32),
    /// Fails in any batch that has the one feature, and takes long over any that has the other.
    Ails {
        fails_on: i32,
        slow_on: i32,
    },
    /// Moves logits towards the mean of their batch, by this share.
    LeansOnNeighbours(f32),
    /// Calls its inputs by other names.
    OtherInputs,
    /// Declares and has one label more than it should.
    OneLabelMore,
}

/// Rounds of a loop: more than anybody waits for.
const HOURS: i64 = 1 << 40;
/// Rounds of a loop: some tenths of a second, a multiple of the item timeouts of these tests.
const LONG_WHILE: i64 = 1 << 20;

/// Rows of the test models' tables.
pub(crate) const ROWS: u32 = 1 << 14;

/// The value of a table at a row and label: a multiple of 1/256, so that sums of some hundred are exact.
pub(crate) fn weight(seed: u32, row: u32, label: usize) -> f32 {
    let mixed = (row ^ seed.wrapping_mul(0x9e37_79b9))
        .wrapping_add(label as u32 * 7919)
        .wrapping_mul(0x85eb_ca6b);
    let mixed = (mixed ^ (mixed >> 15)).wrapping_mul(0xc2b2_ae35);
    ((mixed >> 16) % 257) as f32 / 256.0 - 0.5
}

/// Writes the graph of a model with as many labels.
pub(crate) fn model(seed: u32, labels: usize, quirk: Quirk) -> Vec<u8> {
    let width = labels + usize::from(quirk == Quirk::OneLabelMore);
    let ids = if quirk == Quirk::OtherInputs {
        "tokens"
    } else {
        "ids"
    };
    let table: Vec<f32> = (0..ROWS)
        .flat_map(|row| (0..width).map(move |label| weight(seed, row, label)))
        .collect();
    let graph = Graph::default()
        .input(ids, Element::Int32, &[None])
        .input("owners", Element::Int32, &[None])
        .input("lengths", Element::Int32, &[None])
        .floats("table", &[i64::from(ROWS), width as i64], &table)
        .longs("width", &[1], &[width as i64])
        .longs("columns", &[1], &[1])
        .node("Gather", &["table", ids], "rows")
        .node("Shape", &["lengths"], "windows")
        .node_with(
            "Concat",
            &["windows", "width"],
            "shape",
            &[number_attribute("axis", 0)],
        )
        .node("ConstantOfShape", &["shape"], "zeros")
        .node_with(
            "Cast",
            &["owners"],
            "owners64",
            &[number_attribute("to", Element::Int64 as i64)],
        )
        .node("Unsqueeze", &["owners64", "columns"], "places")
        .node_with(
            "ScatterND",
            &["zeros", "places", "rows"],
            "sums",
            &[word_attribute("reduction", "add")],
        )
        .node_with(
            "Cast",
            &["lengths"],
            "sizes",
            &[number_attribute("to", Element::Float as i64)],
        )
        .node("Sqrt", &["sizes"], "roots")
        .node("Unsqueeze", &["roots", "columns"], "divisors")
        .node("Div", &["sums", "divisors"], "plain");
    finish(graph, ids, quirk)
        .output("logits", Element::Float, &[None, Some(width as i64)])
        .into_model()
}

/// Goes from `plain` to `logits`.
fn finish(graph: Graph, ids: &str, quirk: Quirk) -> Graph {
    match quirk {
        Quirk::None | Quirk::OtherInputs | Quirk::OneLabelMore => {
            graph.node("Identity", &["plain"], "logits")
        }
        Quirk::LeansOnNeighbours(share) => graph
            .floats("share", &[], &[share])
            .node_with(
                "ReduceMean",
                &["plain"],
                "mean",
                &[numbers_attribute("axes", &[0])],
            )
            // Alone, a text is its own mean.
            .node("Sub", &["mean", "plain"], "pull")
            .node("Mul", &["pull", "share"], "lean")
            .node("Add", &["plain", "lean"], "logits"),
        Quirk::FailsOn(feature) => fail(count(graph, ids, feature, "count"), "plain"),
        Quirk::Ails { fails_on, slow_on } => {
            let graph = count(graph, ids, slow_on, "delays");
            let graph = repeat(graph, "delays", LONG_WHILE, "delayed");
            fail(count(graph, ids, fails_on, "count"), "delayed")
        }
        Quirk::LosesItOn(feature) => count(graph, ids, feature, "count")
            .node_with(
                "Cast",
                &["count"],
                "amount",
                &[number_attribute("to", Element::Float as i64)],
            )
            .node("Neg", &["amount"], "debt")
            // The root of 0 is 0; of anything less, there is none.
            .node("Sqrt", &["debt"], "root")
            .node("Add", &["plain", "root"], "logits"),
        Quirk::HangsOn(feature) => {
            let graph = count(graph, ids, feature, "count");
            repeat(graph, "count", HOURS, "logits")
        }
    }
}

/// Goes from `value` to `logits`, and fails if `count` is not 0.
fn fail(graph: Graph, value: &str) -> Graph {
    graph
        .floats("nothing", &[1], &[0.0])
        // There is no element 1.
        .node("Gather", &["nothing", "count"], "zero")
        .node("Add", &[value, "zero"], "logits")
}

/// Goes from `plain` to `output`, by as many rounds as `times` says.
fn repeat(graph: Graph, times: &str, rounds: i64, output: &str) -> Graph {
    graph
        .longs("long", &[], &[rounds])
        .truth("go")
        .node("Mul", &[times, "long"], "rounds")
        .node_with(
            "Loop",
            &["rounds", "go", "plain"],
            output,
            &[graph_attribute("body", idle())],
        )
}

/// Counts a feature in the whole batch, as `name`.
fn count(graph: Graph, ids: &str, feature: i32, name: &str) -> Graph {
    let of = |what: &str| format!("{what} of {name}");
    let [feature_name, found, ones] = ["feature", "found", "ones"].map(of);
    graph
        .ints(&feature_name, &[], &[feature])
        .node("Equal", &[ids, &feature_name], &found)
        .node_with(
            "Cast",
            &[&found],
            &ones,
            &[number_attribute("to", Element::Int64 as i64)],
        )
        .node_with(
            "ReduceSum",
            &[&ones],
            name,
            &[number_attribute("keepdims", 0)],
        )
}

/// A loop's body that changes nothing.
fn idle() -> Graph {
    Graph::default()
        .input("round", Element::Int64, &[])
        .input("go_in", Element::Bool, &[])
        .input("value_in", Element::Float, &[None, None])
        .node("Identity", &["go_in"], "go_out")
        .node("Identity", &["value_in"], "value_out")
        .output("go_out", Element::Bool, &[])
        .output("value_out", Element::Float, &[None, None])
}
