//! Writes ONNX files: just enough of their protobuf layout for small graphs.

/// ONNX's numbers for element types.
#[derive(Clone, Copy)]
pub(crate) enum Element {
    Float = 1,
    Int32 = 6,
    Int64 = 7,
    Bool = 9,
}

/// A protobuf message under construction.
#[derive(Clone, Default)]
pub(crate) struct Message(Vec<u8>);

impl Message {
    pub(crate) fn bytes(mut self, field: u64, bytes: &[u8]) -> Self {
        self.put(field << 3 | 2);
        self.put(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
        self
    }

    pub(crate) fn text(self, field: u64, text: &str) -> Self {
        self.bytes(field, text.as_bytes())
    }

    pub(crate) fn message(self, field: u64, message: Self) -> Self {
        self.bytes(field, &message.0)
    }

    pub(crate) fn number(mut self, field: u64, number: i64) -> Self {
        self.put(field << 3);
        self.put(number as u64);
        self
    }

    fn put(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }
}

/// A graph under construction.
#[derive(Clone, Default)]
pub(crate) struct Graph(Message);

impl Graph {
    pub(crate) fn node(self, operator: &str, inputs: &[&str], output: &str) -> Self {
        self.node_with(operator, inputs, output, &[])
    }

    pub(crate) fn node_with(
        self,
        operator: &str,
        inputs: &[&str],
        output: &str,
        attributes: &[Message],
    ) -> Self {
        let node = inputs
            .iter()
            .fold(Message::default(), |node, input| node.text(1, input))
            .text(2, output)
            .text(4, operator);
        let node = attributes
            .iter()
            .fold(node, |node, attribute| node.message(5, attribute.clone()));
        Self(self.0.message(1, node))
    }

    pub(crate) fn floats(self, name: &str, dimensions: &[i64], values: &[f32]) -> Self {
        let raw: Vec<u8> = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        self.initializer(name, dimensions, Element::Float, &raw)
    }

    pub(crate) fn longs(self, name: &str, dimensions: &[i64], values: &[i64]) -> Self {
        let raw: Vec<u8> = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        self.initializer(name, dimensions, Element::Int64, &raw)
    }

    pub(crate) fn ints(self, name: &str, dimensions: &[i64], values: &[i32]) -> Self {
        let raw: Vec<u8> = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        self.initializer(name, dimensions, Element::Int32, &raw)
    }

    pub(crate) fn truth(self, name: &str) -> Self {
        self.initializer(name, &[], Element::Bool, &[1])
    }

    fn initializer(self, name: &str, dimensions: &[i64], element: Element, raw: &[u8]) -> Self {
        let tensor = dimensions
            .iter()
            .fold(Message::default(), |tensor, size| tensor.number(1, *size))
            .number(2, element as i64)
            .text(8, name)
            .bytes(9, raw);
        Self(self.0.message(5, tensor))
    }

    /// Declares an input; `None` is a dimension that varies.
    pub(crate) fn input(self, name: &str, element: Element, dimensions: &[Option<i64>]) -> Self {
        Self(self.0.message(11, value_info(name, element, dimensions)))
    }

    /// Declares an output; `None` is a dimension that varies.
    pub(crate) fn output(self, name: &str, element: Element, dimensions: &[Option<i64>]) -> Self {
        Self(self.0.message(12, value_info(name, element, dimensions)))
    }

    pub(crate) fn into_model(self) -> Vec<u8> {
        let operators = Message::default().text(1, "").number(2, 17);
        Message::default()
            .number(1, 8)
            .message(7, self.0.text(2, "test"))
            .message(8, operators)
            .0
    }
}

fn value_info(name: &str, element: Element, dimensions: &[Option<i64>]) -> Message {
    let shape = dimensions.iter().fold(Message::default(), |shape, size| {
        let dimension = match size {
            Some(size) => Message::default().number(1, *size),
            None => Message::default().text(2, "any"),
        };
        shape.message(1, dimension)
    });
    let tensor = Message::default()
        .number(1, element as i64)
        .message(2, shape);
    Message::default()
        .text(1, name)
        .message(2, Message::default().message(1, tensor))
}

/// An attribute that is a number.
pub(crate) fn number_attribute(name: &str, number: i64) -> Message {
    Message::default()
        .text(1, name)
        .number(3, number)
        .number(20, 2)
}

/// An attribute that is a list of numbers.
pub(crate) fn numbers_attribute(name: &str, numbers: &[i64]) -> Message {
    numbers
        .iter()
        .fold(Message::default().text(1, name), |attribute, number| {
            attribute.number(8, *number)
        })
        .number(20, 7)
}

/// An attribute that is a word.
pub(crate) fn word_attribute(name: &str, word: &str) -> Message {
    Message::default().text(1, name).text(4, word).number(20, 3)
}

/// An attribute that is a graph.
pub(crate) fn graph_attribute(name: &str, graph: Graph) -> Message {
    Message::default()
        .text(1, name)
        .message(6, graph.0.text(2, name))
        .number(20, 5)
}
