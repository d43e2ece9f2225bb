"""Tests of the simulated Azure Resource Manager, driven from outside through the real SDKs."""
