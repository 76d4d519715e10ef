"""Repairs that go exactly as far as policy and their own record allow."""
