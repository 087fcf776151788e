"""Policies and the REINFORCE loop behind the lesson's notebooks."""
