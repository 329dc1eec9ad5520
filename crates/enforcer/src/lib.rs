//! The enforcer stage: scored events in, decisions, actions and review requests out.
