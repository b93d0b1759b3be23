output "database_id" {
  description = "The OCID of the clone."
  value       = oci_database_autonomous_database.clone.id
}

output "state" {
  description = "The state that the clone was in last."
  value       = oci_database_autonomous_database.clone.state
}

output "private_endpoint" {
  description = "The host of the private endpoint, if it has one."
  value       = oci_database_autonomous_database.clone.private_endpoint
}

# As the API of the database writes them.
output "connection_profiles" {
  description = "How clients reach the clone."
  value = [
    for profile in flatten(oci_database_autonomous_database.clone.connection_strings[*].profiles) : {
      displayName       = profile.display_name
      value             = profile.value
      consumerGroup     = profile.consumer_group
      tlsAuthentication = profile.tls_authentication
    }
  ]
}
