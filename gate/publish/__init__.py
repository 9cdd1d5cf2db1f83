"""Publishing a release, from the build to the published tags; `pipeline` has the sequence."""
