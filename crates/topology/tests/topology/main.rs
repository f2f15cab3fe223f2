//! The topology as its users meet it: whole files in, a checked tree or a list of mistakes out.

mod examples;
