# Resource Manager gives every value as a string, so lists are written with commas between.

variable "region" {
  type        = string
  description = "The region of the backup, and of the clone."
}

variable "compartment_ocid" {
  type        = string
  description = "The compartment that the clone lies in."
}

variable "run" {
  type        = string
  description = "The run of Drydock that the clone belongs to. It is the clone's tag drydock-run."

  validation {
    condition     = var.run != ""
    error_message = "A clone without a run is found by nobody."
  }
}

variable "display_name" {
  type        = string
  description = "What the clone is called in the console."
}

variable "db_name" {
  type        = string
  description = "What clients call the clone. No other database of the tenancy has the name."

  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9]{0,29}$", var.db_name))
    error_message = "The name has a letter first, and 30 letters and digits at most."
  }
}

variable "backup_id" {
  type        = string
  description = "The OCID of the backup."

  validation {
    condition     = startswith(var.backup_id, "ocid1.autonomousdatabasebackup.")
    error_message = "The OCID of a backup begins with ocid1.autonomousdatabasebackup."
  }
}

variable "clone_type" {
  type        = string
  default     = "FULL"
  description = "FULL, with all rows, or METADATA, without any."

  validation {
    condition     = contains(["FULL", "METADATA"], var.clone_type)
    error_message = "The kind of clone is FULL or METADATA."
  }
}

variable "ecpu_count" {
  type        = number
  default     = 2
  description = "ECPUs of the clone. Plans are compared with those of production only where it has as many."

  validation {
    condition     = var.ecpu_count >= 2
    error_message = "A database has at least 2 ECPUs."
  }
}

variable "license_model" {
  type        = string
  default     = ""
  description = "LICENSE_INCLUDED or BRING_YOUR_OWN_LICENSE; empty: as the service decides."
}

variable "secret_id" {
  type        = string
  description = "The OCID of the secret, in a vault, that has the password of ADMIN."

  validation {
    condition     = startswith(var.secret_id, "ocid1.vaultsecret.")
    error_message = "The password is never given itself: name a secret by its OCID, which begins with ocid1.vaultsecret."
  }
}

variable "secret_version_number" {
  type        = number
  default     = 0
  description = "The version of the secret; 0: the current one."
}

variable "subnet_id" {
  type        = string
  default     = ""
  description = "The subnet of a private endpoint; empty: the clone is reached by its public one."
}

variable "nsg_ids" {
  type        = string
  default     = ""
  description = "Network security groups of the private endpoint, with commas between."
}

variable "whitelisted_ips" {
  type        = string
  default     = ""
  description = "Addresses that the public endpoint lets in, with commas between. The clone has production's data."
}

variable "is_mtls_connection_required" {
  type        = bool
  default     = true
  description = "Whether clients need a wallet."
}
