"""Alarms of watched models: raised once per detection, open until somebody closes them or another release serves."""
