"""Screens. They read models and call verbs; they never see the network, the store or the wire."""
