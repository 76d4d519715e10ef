"""Objectives of an endpoint (SLOs): what share of requests shall be good, how much may fail, how fast it is used up."""
