//! The control plane: versioned policies and deployments over gRPC.
