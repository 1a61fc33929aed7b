"""Faults put into the package one at a time: would the tests notice?"""
