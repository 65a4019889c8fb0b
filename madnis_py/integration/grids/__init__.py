"""VEGAS grids with the same channels: survey, start of a flow, choice between both."""
