//! Types generated from `proto/tidegate/v1`: records of the topics, and the clients and servers of the control plane.

#![allow(missing_docs, unreachable_pub, clippy::all, rustdoc::all)]

tonic::include_proto!("tidegate.v1");
