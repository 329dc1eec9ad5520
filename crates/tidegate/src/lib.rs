//! The tidegate binary: every stage, the operator's commands, and the demo.
